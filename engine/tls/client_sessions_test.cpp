#include "engine/tls/client_sessions.h"

#include "engine/tls/client_context.h"
#include "engine/tls/context.h"
#include "engine/tls/test_certificates.h"

#include <gtest/gtest.h>

#include <array>

namespace fairlead::tls {
namespace {

std::shared_ptr<const ClientContext> client(const std::string& trusted) {
  Files files;
  model::ServersTransport options;
  options.root_cas = {trusted};
  return *ClientContext::make(options, files);
}

// A server that every connection of a test goes to.
struct Server {
  explicit Server(const char* highest = "") {
    std::vector<std::string> notices;
    model::TlsOptions options;
    options.max_version = highest;
    context = *ServerContext::make("default", options, files, {}, notices);
    identity = *Certificate::from_pem(pem.chain, pem.key);
  }

  // One whole connection; whether it resumed a session. `during`: between handshake and first bytes.
  bool resumes(Result<SslPtr> begun, const std::function<void()>& during = [] {}) {
    EXPECT_TRUE(begun) << begun.error().detail;
    SSL* ours = begun->get();
    const SslPtr theirs(SSL_new(context->get()));
    identity->use(theirs.get());
    SSL_set_accept_state(theirs.get());
    BIO *one = nullptr, *other = nullptr;
    BIO_new_bio_pair(&one, 0, &other, 0);
    SSL_set_bio(ours, one, one);
    SSL_set_bio(theirs.get(), other, other);
    int done = 0;
    for (int i = 0; i < 10 && done != 1; ++i) {
      SSL_do_handshake(ours);
      done = SSL_do_handshake(theirs.get());
    }
    EXPECT_EQ(done, 1) << openssl_error();
    during();
    std::array<char, 8> bytes{};
    SSL_write(theirs.get(), "answer", 6);
    EXPECT_EQ(SSL_read(ours, bytes.data(), bytes.size()), 6);  // behind the tickets of TLS 1.3
    const bool reused = SSL_session_reused(ours) == 1;
    SSL_shutdown(ours);
    return reused;
  }

  Files files;
  TestCertificate pem = test_certificate("DNS:a.example,DNS:b.example");
  ServerContextPtr context;
  CertificatePtr identity;
};

class ClientSessionsOf : public testing::TestWithParam<const char*> {};
INSTANTIATE_TEST_SUITE_P(Versions, ClientSessionsOf, testing::Values("VersionTLS12", "VersionTLS13"));

TEST_P(ClientSessionsOf, TheNextConnectionToAServerResumes) {
  Server server(GetParam());
  const auto context = client(server.pem.chain);

  EXPECT_FALSE(server.resumes(context->begin("a.example")));
  EXPECT_TRUE(server.resumes(context->begin("a.example")));
  EXPECT_TRUE(server.resumes(context->begin("a.example")));
}

TEST_P(ClientSessionsOf, AnotherServerOrOtherOptionsBeginAnew) {
  Server server(GetParam());
  const auto context = client(server.pem.chain);
  server.resumes(context->begin("a.example"));

  EXPECT_FALSE(server.resumes(context->begin("b.example")));
  EXPECT_FALSE(server.resumes(client(server.pem.chain)->begin("a.example")));
}

TEST_P(ClientSessionsOf, AConnectionMayOutliveItsOptions) {
  Server server(GetParam());
  auto context = client(server.pem.chain);

  EXPECT_FALSE(server.resumes(context->begin("a.example"), [&] { context.reset(); }));
}

TEST(ClientSessions, TwoConnectionsAtOnceDoNotShareATicketOfTls13) {
  Server server;
  const auto context = client(server.pem.chain);
  server.resumes(context->begin("a.example"));

  auto first = context->begin("a.example");
  auto second = context->begin("a.example");

  EXPECT_TRUE(server.resumes(std::move(first)));
  EXPECT_FALSE(server.resumes(std::move(second)));
}

}  // namespace
}  // namespace fairlead::tls
