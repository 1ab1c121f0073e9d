#include "engine/tls/tls_transport.h"

#include "engine/net/tcp_transport.h"
#include "engine/tls/client_context.h"
#include "engine/tls/context.h"
#include "engine/tls/test_certificates.h"

#include <gtest/gtest.h>
#include <sys/socket.h>

namespace fairlead::tls {
namespace {

using namespace std::chrono_literals;

model::ServersTransport unverified() {
  model::ServersTransport options;
  options.insecure_skip_verify = true;
  return options;
}

ClientHello hello_for(const std::string& name) {
  ClientHello hello;
  hello.server_name = name;
  return hello;
}

// One end of a connection, and what happened to it.
struct End final : HandshakeUser, net::TransportUser {
  void handshake_ended(TlsTransport& transport, Result<> how) override {
    outcome = std::move(how);
    ended = true;
    transport.set_user(this);
  }
  void on_readable() override {
    if (reads) read();
  }
  void on_writable() override {
    send();
    if (closes_after && outgoing.empty()) transport->close();
  }
  void on_peer_finished() override { read(); }
  void on_broken(int error) override { broken = error; }
  void read() {
    char buffer[40'000];
    for (;;) {
      const net::IoResult got = transport->read(buffer);
      received.append(buffer, got.bytes);
      last = got.status;
      if (got.status != net::IoStatus::Ok || got.drained) return;
    }
  }
  void send() {
    while (!outgoing.empty()) {
      const std::size_t head = std::min<std::size_t>(outgoing.size(), 100);
      const iovec parts[] = {{outgoing.data(), head}, {outgoing.data() + head, outgoing.size() - head}};
      const net::IoResult sent = transport->write(parts);
      outgoing.erase(0, sent.bytes);
      if (sent.bytes == 0) return;
    }
  }

  std::unique_ptr<TlsTransport> transport;
  Result<> outcome;
  bool ended = false;
  std::string received;
  std::string outgoing;
  net::IoStatus last = net::IoStatus::Ok;
  int broken = 0;
  bool closes_after = false;
  bool reads = true;
};

struct TlsTransportTest : testing::Test {
  void connect(const model::TlsOptions& options = {}, const model::ServersTransport& towards = unverified(),
               const std::string& name = "a.example") {
    std::vector<std::string> notices;
    auto context = ServerContext::make("default", options, files, {"http/1.1"}, notices);
    ASSERT_TRUE(context) << context.error().what;
    auto client_context = ClientContext::make(towards, files);
    ASSERT_TRUE(client_context) << client_context.error().what;
    int sockets[2];
    ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, sockets), 0);
    auto ssl = begin_server(**context, hello_for(name), table, "127.0.0.1");
    ASSERT_TRUE(ssl) << ssl.error().why;
    auto client_ssl = (*client_context)->begin(name);
    ASSERT_TRUE(client_ssl);
    server.transport = std::make_unique<TlsTransport>(
        loop, net::TcpTransport::adopt(loop, Fd(sockets[0]), {}), std::move(*ssl), server);
    client.transport = std::make_unique<TlsTransport>(
        loop, net::TcpTransport::adopt(loop, Fd(sockets[1]), {}), std::move(*client_ssl), client);
    SSL_set_msg_callback(client.transport->ssl(), count_goodbye);
    SSL_set_msg_callback_arg(client.transport->ssl(), &goodbyes);
    server.transport->handshake(loop.now() + 10s);
    client.transport->handshake(loop.now() + 10s);
    run([&] { return server.ended && client.ended; });
  }
  static void count_goodbye(int sent, int, int type, const void* bytes, std::size_t size, SSL*,
                            void* goodbyes) {
    if (!sent && type == SSL3_RT_ALERT && size == 2 &&
        static_cast<const char*>(bytes)[1] == SSL_AD_CLOSE_NOTIFY)
      ++*static_cast<int*>(goodbyes);
  }
  template <class Done>
  void run(Done done) {
    for (int i = 0; i < 2000 && !done(); ++i) loop.run_once(5ms);
  }

  event::Loop loop;
  Files files;
  TestCertificate pem = test_certificate("DNS:a.example");
  CertificateTable table{{Certificate::from_pem(pem.chain, pem.key).value()}, nullptr};
  int goodbyes = 0;  // that the client has heard
  End server;
  End client;
};

TEST_F(TlsTransportTest, AgreesAndCarriesBytesBothWays) {
  connect();
  ASSERT_TRUE(server.outcome && client.outcome);
  EXPECT_EQ(server.transport->agreed().version, "1.3");
  EXPECT_EQ(server.transport->agreed().server_name, "a.example");
  EXPECT_EQ(server.transport->agreed().cipher, "TLS_AES_128_GCM_SHA256");
  client.outgoing = "ping";
  client.send();
  run([&] { return server.received.size() == 4; });
  EXPECT_EQ(server.received, "ping");
  server.outgoing = "pong";
  server.send();
  run([&] { return client.received.size() == 4; });
  EXPECT_EQ(client.received, "pong");
}

TEST_F(TlsTransportTest, CarriesMoreThanSocketsHold) {
  connect();
  std::string body(5'000'000, '\0');
  for (std::size_t i = 0; i < body.size(); ++i) body[i] = static_cast<char>(i * 7919 >> 3);
  server.outgoing = body;
  server.send();
  EXPECT_FALSE(server.outgoing.empty());
  run([&] { return client.received.size() == body.size(); });
  EXPECT_TRUE(client.received == body);
}

TEST_F(TlsTransportTest, ReportsNothingAsWrittenThatACloseWouldLose) {
  connect();
  server.closes_after = true;
  server.outgoing = std::string(1'000'000, 'x');
  server.send();
  run([&] { return client.last == net::IoStatus::End; });
  EXPECT_EQ(client.received.size(), 1'000'000u);
  EXPECT_EQ(client.last, net::IoStatus::End);
}

TEST_F(TlsTransportTest, EndsBySayingSo) {
  connect();
  server.outgoing = "bye";
  server.send();
  server.transport->finish_writing();
  run([&] { return client.last == net::IoStatus::End; });
  EXPECT_EQ(client.received, "bye");
  EXPECT_EQ(client.last, net::IoStatus::End);
  EXPECT_EQ(goodbyes, 1);
  client.outgoing = "late";
  client.send();
  run([&] { return server.received.size() == 4; });
  EXPECT_EQ(server.received, "late");
}

// Each is answered (RFC 8446 §4.6.3), and the answers wait as long as the peer reads nothing.
TEST_F(TlsTransportTest, LeavesAPeerThatUpdatesKeysAndNeverReads) {
  connect();
  client.reads = false;
  server.outgoing = std::string(4'000'000, 'x');
  server.send();
  const auto left = [&] { return server.last == net::IoStatus::Failed; };

  for (int i = 0; i < 50'000 && !left(); ++i) {
    SSL_key_update(client.transport->ssl(), SSL_KEY_UPDATE_REQUESTED);
    client.outgoing = "y";
    client.send();
    loop.run_once(0ms);
  }

  EXPECT_TRUE(left());
}

TEST_F(TlsTransportTest, SaysGoodbyeWhenItCloses) {
  connect();
  server.transport->close();
  run([&] { return client.last == net::IoStatus::End; });
  EXPECT_EQ(client.last, net::IoStatus::End);
  EXPECT_EQ(goodbyes, 1);
}

TEST_F(TlsTransportTest, SaysNoGoodbyeToAPeerThatHasSaidItAndEnded) {
  connect();
  client.transport->finish_writing();
  run([&] { return server.last == net::IoStatus::End; });
  server.transport->close();
  run([&] { return client.last == net::IoStatus::End; });
  EXPECT_EQ(client.last, net::IoStatus::End);
  EXPECT_EQ(goodbyes, 0);
}

TEST_F(TlsTransportTest, SaysGoodbyeAfterWhatItWroteToAPeerThatHasEnded) {
  connect();
  client.transport->finish_writing();
  run([&] { return server.last == net::IoStatus::End; });
  server.outgoing = "the answer";
  server.send();
  server.transport->close();
  run([&] { return client.last == net::IoStatus::End; });
  EXPECT_EQ(client.received, "the answer");
  EXPECT_EQ(client.last, net::IoStatus::End);
  EXPECT_EQ(goodbyes, 1);
}

TEST_F(TlsTransportTest, VerifiesTheServer) {
  model::ServersTransport trusts;
  trusts.root_cas = {pem.chain};
  connect({}, trusts);
  EXPECT_TRUE(client.outcome);
}

TEST_F(TlsTransportTest, RefusesAServerThatNobodyVouchesFor) {
  model::ServersTransport trusts;
  trusts.root_cas = {test_certificate("DNS:other").chain};
  connect({}, trusts);
  ASSERT_FALSE(client.outcome);
  EXPECT_EQ(client.outcome.error().status, 500);
  EXPECT_FALSE(client.outcome.error().retryable);
  EXPECT_NE(client.outcome.error().detail.find("the certificate is not accepted"), std::string::npos);
  EXPECT_FALSE(server.outcome);
}

TEST_F(TlsTransportTest, RefusesAServerOfAnotherName) {
  model::ServersTransport trusts;
  trusts.root_cas = {pem.chain};
  trusts.server_name = "b.example";
  connect({}, trusts);
  ASSERT_FALSE(client.outcome);
  EXPECT_EQ(client.outcome.error().status, 500);
}

TEST_F(TlsTransportTest, KeepsToTheVersionsOfTheOptions) {
  model::TlsOptions options;
  options.max_version = "VersionTLS12";
  connect(options);
  ASSERT_TRUE(server.outcome && client.outcome);
  EXPECT_EQ(server.transport->agreed().version, "1.2");
}

TEST_F(TlsTransportTest, RefusesOlderVersions) {
  model::TlsOptions options;
  options.min_version = "VersionTLS13";
  model::ServersTransport towards = unverified();
  towards.max_version = "VersionTLS12";
  connect(options, towards);
  EXPECT_FALSE(server.outcome);
  EXPECT_FALSE(client.outcome);
}

TEST_F(TlsTransportTest, RefusesANameWithoutCertificateWhenStrict) {
  model::TlsOptions options;
  options.sni_strict = true;
  std::vector<std::string> notices;
  const auto context = ServerContext::make("default", options, files, {"http/1.1"}, notices);
  const auto refused = begin_server(**context, hello_for("nobody"), table, "127.0.0.1");
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().alert, SSL_AD_UNRECOGNIZED_NAME);
}

}  // namespace
}  // namespace fairlead::tls
