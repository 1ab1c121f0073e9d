#include "engine/tls/certificate.h"

#include "engine/tls/certificate_table.h"
#include "engine/tls/challenge_table.h"
#include "engine/tls/test_certificates.h"

#include <gtest/gtest.h>

namespace fairlead::tls {
namespace {

CertificatePtr made(const std::string& names, bool rsa = false) {
  const TestCertificate pem = test_certificate(names, rsa);
  auto certificate = Certificate::from_pem(pem.chain, pem.key);
  EXPECT_TRUE(certificate) << certificate.error().what;
  return certificate.value_or(nullptr);
}

TEST(Certificate, KnowsItsNames) {
  const auto certificate = made("DNS:A.Example,DNS:*.b.example,IP:127.0.0.1,IP:::1");
  ASSERT_TRUE(certificate);
  EXPECT_EQ(certificate->names(),
            (std::vector<std::string>{"a.example", "*.b.example", "127.0.0.1", "::1", "test"}));
  EXPECT_TRUE(certificate->is_ecdsa());
  EXPECT_GT(certificate->not_after(), std::chrono::system_clock::now());
  EXPECT_EQ(certificate->fingerprint().size(), 64u);
}

TEST(Certificate, RefusesWhatCouldNotBeServed) {
  const TestCertificate one = test_certificate("DNS:a");
  const TestCertificate other = test_certificate("DNS:a");
  EXPECT_EQ(Certificate::from_pem(one.chain, other.key).error().what,
            "the key does not belong to the certificate");
  EXPECT_EQ(Certificate::from_pem("", one.key).error().path, "certFile");
  EXPECT_EQ(Certificate::from_pem(one.chain, "").error().path, "keyFile");
  EXPECT_EQ(Certificate::from_pem(one.chain.substr(0, one.chain.size() / 2), one.key).error().path,
            "certFile");
  std::string broken = one.chain;
  broken[broken.size() / 2] = '!';
  EXPECT_FALSE(Certificate::from_pem(one.chain + broken, one.key));
}

TEST(Certificate, IsUsedFromItsBytes) {
  const ContextPtr context(SSL_CTX_new(TLS_server_method()));
  const SslPtr ssl(SSL_new(context.get()));
  EXPECT_TRUE(made("DNS:a", true)->use(ssl.get()));
  EXPECT_TRUE(Certificate::self_signed(kNoCertificateYet, {})->use(ssl.get()));
}

TEST(CertificateTable, FindsTheNameBeforeTheWildcard) {
  const auto exact = made("DNS:www.a.example");
  const auto wildcard = made("DNS:*.a.example");
  const CertificateTable table({wildcard, exact}, nullptr);
  EXPECT_EQ(table.find("www.a.example")->ecdsa, exact);
  EXPECT_EQ(table.find("other.a.example")->ecdsa, wildcard);
  EXPECT_EQ(table.find("a.example"), nullptr);
  EXPECT_EQ(table.find("x.y.a.example"), nullptr);
  EXPECT_EQ(table.find(""), nullptr);
}

TEST(CertificateTable, KeepsOnePerKindOfKeyAndTheFirstOfEach) {
  const auto ecdsa = made("DNS:a");
  const auto rsa = made("DNS:a", true);
  const CertificateTable table({ecdsa, rsa, made("DNS:a")}, nullptr);
  EXPECT_EQ(table.find("a")->ecdsa, ecdsa);
  EXPECT_EQ(table.find("a")->rsa, rsa);
}

TEST(Certificates, ServeConfiguredOnesBeforeIssuedOnes) {
  Certificates certificates;
  ASSERT_TRUE(certificates.table()->fallback());
  const auto issued = made("DNS:a,DNS:b");
  const auto configured = made("DNS:a");
  certificates.set_issued({issued});
  EXPECT_EQ(certificates.table()->find("a")->ecdsa, issued);
  certificates.set_configured({configured}, configured);
  EXPECT_EQ(certificates.table()->find("a")->ecdsa, configured);
  EXPECT_EQ(certificates.table()->find("b")->ecdsa, issued);
  EXPECT_EQ(certificates.table()->fallback(), configured);
}

TEST(Challenges, AnswerUntilForgotten) {
  Challenges challenges;
  challenges.answer_tls_alpn("A.Example", "a.example", std::string(32, 'x'));
  challenges.answer_http("token", "token.thumb");
  ASSERT_TRUE(challenges.tls_alpn("a.example"));
  EXPECT_EQ(challenges.tls_alpn("a.example")->names().front(), "a.example");
  EXPECT_EQ(challenges.http("token"), "token.thumb");
  challenges.forget_tls_alpn("a.example");
  challenges.forget_http("token");
  EXPECT_FALSE(challenges.tls_alpn("a.example"));
  EXPECT_EQ(challenges.http("token"), "");
}

}  // namespace
}  // namespace fairlead::tls
