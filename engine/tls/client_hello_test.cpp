#include "engine/tls/client_hello.h"

#include "engine/tls/pointers.h"

#include <gtest/gtest.h>
#include <openssl/ssl.h>

namespace fairlead::tls {
namespace {

// The first flight of a real client.
std::string hello_of(const char* name, const char* sigalgs = nullptr, int max_version = TLS1_3_VERSION) {
  const ContextPtr context(SSL_CTX_new(TLS_client_method()));
  SSL_CTX_set_max_proto_version(context.get(), max_version);
  if (sigalgs) SSL_CTX_set1_sigalgs_list(context.get(), sigalgs);
  const SslPtr ssl(SSL_new(context.get()));
  if (name) SSL_set_tlsext_host_name(ssl.get(), name);
  constexpr unsigned char kProtocols[] = "\x02h2\x08http/1.1";
  SSL_set_alpn_protos(ssl.get(), kProtocols, sizeof kProtocols - 1);
  SSL_set_bio(ssl.get(), BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()));
  SSL_connect(ssl.get());
  const char* data = nullptr;
  const long size = BIO_get_mem_data(SSL_get_wbio(ssl.get()), &data);
  return {data, static_cast<std::size_t>(size)};
}

// The same message in records of `step` bytes.
std::string in_records(const std::string& hello, std::size_t step) {
  std::string out;
  for (std::size_t at = 5; at < hello.size(); at += step) {
    const std::string part = hello.substr(at, step);
    out += hello.substr(0, 3);
    out += static_cast<char>(part.size() >> 8);
    out += static_cast<char>(part.size() & 0xff);
    out += part;
  }
  return out;
}

TEST(ClientHello, ReadsWhatARealClientSends) {
  const HelloResult result = parse_client_hello(hello_of("App.Example.COM"));
  ASSERT_EQ(result.status, HelloStatus::Parsed);
  EXPECT_EQ(result.hello.server_name, "app.example.com");
  EXPECT_EQ(result.hello.alpn, (std::vector<std::string>{"h2", "http/1.1"}));
  EXPECT_EQ(result.hello.highest_version, 0x0304);
  EXPECT_TRUE(result.hello.takes_ecdsa);
  EXPECT_TRUE(result.hello.takes_rsa);
}

TEST(ClientHello, DropsTheTrailingDotAndStandsANameLess) {
  EXPECT_EQ(parse_client_hello(hello_of("a.example.")).hello.server_name, "a.example");
  EXPECT_EQ(parse_client_hello(hello_of(nullptr)).hello.server_name, "");
}

TEST(ClientHello, TellsWhichCertificatesTheClientTakes) {
  const HelloResult rsa = parse_client_hello(hello_of("a", "RSA+SHA256:RSA-PSS+SHA256", TLS1_2_VERSION));
  EXPECT_TRUE(rsa.hello.takes_rsa);
  EXPECT_FALSE(rsa.hello.takes_ecdsa);
  EXPECT_EQ(rsa.hello.highest_version, 0x0303);
  const HelloResult ecdsa = parse_client_hello(hello_of("a", "ECDSA+SHA256"));
  EXPECT_FALSE(ecdsa.hello.takes_rsa);
  EXPECT_TRUE(ecdsa.hello.takes_ecdsa);
}

TEST(ClientHello, WaitsForTheRestAtEveryCut) {
  const std::string hello = hello_of("a.example");
  for (std::size_t bytes = 0; bytes < hello.size(); ++bytes)
    ASSERT_EQ(parse_client_hello(std::string_view(hello).substr(0, bytes)).status, HelloStatus::NeedMore)
        << bytes;
}

TEST(ClientHello, JoinsRecordsOfAnySize) {
  const std::string hello = hello_of("a.example");
  for (const std::size_t step : {1, 2, 3, 5, 40, 200}) {
    const std::string cut = in_records(hello, step);
    const HelloResult result = parse_client_hello(cut);
    ASSERT_EQ(result.status, HelloStatus::Parsed) << step;
    EXPECT_EQ(result.hello.server_name, "a.example");
    EXPECT_EQ(parse_client_hello(std::string_view(cut).substr(0, cut.size() - 1)).status,
              HelloStatus::NeedMore);
  }
}

TEST(ClientHello, TellsOtherProtocolsAtTheFirstByte) {
  EXPECT_EQ(parse_client_hello("").status, HelloStatus::NeedMore);
  EXPECT_EQ(parse_client_hello("G").status, HelloStatus::NotTls);
  EXPECT_EQ(parse_client_hello("\x80").status, HelloStatus::NotTls);  // SSL 2
}

TEST(ClientHello, RefusesWhatIsBroken) {
  const std::string good = hello_of("a.example");
  std::string other = good;
  other[5] = 2;
  EXPECT_EQ(parse_client_hello(other).status, HelloStatus::Malformed);
  std::string huge = good;
  huge[6] = 1;
  EXPECT_EQ(parse_client_hello(huge).status, HelloStatus::Malformed);
  EXPECT_EQ(parse_client_hello(std::string("\x16\x03\x01\x00\x00", 5)).status, HelloStatus::Malformed);
  EXPECT_EQ(parse_client_hello(std::string("\x16\x02\x01", 3)).status, HelloStatus::Malformed);
  std::string name = good;
  name[name.find("a.example")] = '\0';
  EXPECT_EQ(parse_client_hello(name).status, HelloStatus::Malformed);
}

}  // namespace
}  // namespace fairlead::tls
