#include "engine/tls/certificate.h"

#include "engine/tls/certificate_table.h"
#include "engine/tls/challenge_table.h"
#include "engine/tls/test_certificates.h"

#include <gtest/gtest.h>
#include <malloc.h>
#include <openssl/core_names.h>
#include <openssl/pem.h>

#include <vector>

namespace fairlead::tls {
namespace {

CertificatePtr made(const std::string& names, bool rsa = false, long left = 3600, long begins = -60) {
  const TestCertificate pem = test_certificate(names, rsa, "test", left, begins);
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
  EXPECT_EQ(
      Certificate::from_pem(other.chain + one.chain, one.key).error().what,
      "the key belongs to certificate 2 of the chain: the server's own must come first, then its issuers");
  EXPECT_EQ(Certificate::from_pem(one.key, one.chain).error().what,
            "this is a private key: are certFile and keyFile interchanged?");
  EXPECT_EQ(Certificate::from_pem(one.chain, "").error().path, "keyFile");
  EXPECT_EQ(Certificate::from_pem(one.chain.substr(0, one.chain.size() / 2), one.key).error().path,
            "certFile");
  std::string broken = one.chain;
  broken[broken.size() / 2] = '!';
  EXPECT_FALSE(Certificate::from_pem(one.chain + broken, one.key));
}

TEST(Certificate, SaysWhatWasProbablyDoneToItsFile) {
  const TestCertificate one = test_certificate("DNS:a");
  const auto told = [](const std::string& chain, const std::string& key) {
    return Certificate::from_pem(chain, key).error().what;
  };
  const std::string glued = one.chain.substr(0, one.chain.size() - 1) + one.chain;

  EXPECT_EQ(told(glued, one.key),
            "no certificate in PEM form, since a line end is missing between two blocks");
  EXPECT_EQ(told("\x30\x82\x01\x01", one.key),
            "no certificate in PEM form, since it is binary (DER or PKCS #12): convert it with openssl");
  EXPECT_EQ(told(one.chain.substr(0, one.chain.size() / 2), one.key),
            "no certificate in PEM form, since it is cut: it has no END line");
  EXPECT_EQ(told(one.chain, one.key.substr(0, one.key.size() / 2)),
            "no usable private key, since it is cut: it has no END line");
  EXPECT_EQ(told(one.chain, "\n"), "no usable private key, since it is empty");
}

TEST(Certificate, SaysThatAnEncryptedKeyIsOfNoUse) {
  const TestCertificate pem = test_certificate("DNS:a");
  const BioPtr in(BIO_new_mem_buf(pem.key.data(), static_cast<int>(pem.key.size())));
  const KeyPtr key(PEM_read_bio_PrivateKey(in.get(), nullptr, nullptr, nullptr));
  const auto sealed = [&key](auto* write, const EVP_CIPHER* cipher) {
    const BioPtr out(BIO_new(BIO_s_mem()));
    unsigned char phrase[] = "secret";
    write(out.get(), key.get(), cipher, phrase, 6, nullptr, nullptr);
    const char* bytes = nullptr;
    const long size = BIO_get_mem_data(out.get(), &bytes);
    return std::string(bytes, static_cast<std::size_t>(size));
  };
  const auto traditional = [](BIO* out, EVP_PKEY* of, const EVP_CIPHER* cipher, unsigned char* phrase,
                              int length, pem_password_cb* ask, void* data) {
    return PEM_write_bio_PrivateKey_traditional(out, of, cipher, phrase, length, ask, data);
  };
  const auto modern = [](BIO* out, EVP_PKEY* of, const EVP_CIPHER* cipher, unsigned char* phrase, int length,
                         pem_password_cb* ask, void* data) {
    return PEM_write_bio_PrivateKey(out, of, cipher, phrase, length, ask, data);
  };

  for (const std::string& text :
       {sealed(+traditional, EVP_aes_128_cbc()), sealed(+modern, EVP_aes_128_cbc())}) {
    const auto made = Certificate::from_pem(pem.chain, text);
    ASSERT_FALSE(made);
    EXPECT_EQ(made.error().path, "keyFile");
    EXPECT_NE(made.error().what.find("is encrypted"), std::string::npos) << made.error().what;
  }
}

TEST(Certificate, IsUsedFromItsBytes) {
  const ContextPtr context(SSL_CTX_new(TLS_server_method()));
  const SslPtr ssl(SSL_new(context.get()));
  EXPECT_TRUE(made("DNS:a", true)->use(ssl.get()));
  EXPECT_TRUE(Certificate::self_signed(kNoCertificateYet, {})->use(ssl.get()));
}

TEST(Certificate, ReadsItsKeyWhenAHandshakeNeedsIt) {
  const ContextPtr context(SSL_CTX_new(TLS_server_method()));
  const SslPtr ssl(SSL_new(context.get()));
  const std::size_t before = Certificate::loaded();

  const auto certificate = made("DNS:a");

  EXPECT_EQ(Certificate::loaded(), before);
  EXPECT_TRUE(certificate->use(ssl.get()));
  EXPECT_TRUE(certificate->use(ssl.get()));
  EXPECT_EQ(Certificate::loaded(), before + 1);
}

TEST(Certificate, TakesAKeyThatDoesNotHoldThePublicKey) {
  const TestCertificate pem = test_certificate("DNS:a");
  const BioPtr in(BIO_new_mem_buf(pem.key.data(), static_cast<int>(pem.key.size())));
  const KeyPtr key(PEM_read_bio_PrivateKey(in.get(), nullptr, nullptr, nullptr));
  ASSERT_EQ(EVP_PKEY_set_int_param(key.get(), OSSL_PKEY_PARAM_EC_INCLUDE_PUBLIC, 0), 1);
  const BioPtr out(BIO_new(BIO_s_mem()));
  PEM_write_bio_PrivateKey(out.get(), key.get(), nullptr, nullptr, 0, nullptr, nullptr);
  const char* bytes = nullptr;
  const long size = BIO_get_mem_data(out.get(), &bytes);
  const std::string_view without(bytes, static_cast<std::size_t>(size));
  ASSERT_LT(without.size(), pem.key.size());

  EXPECT_TRUE(Certificate::from_pem(pem.chain, without));
  EXPECT_EQ(Certificate::from_pem(test_certificate("DNS:a").chain, without).error().what,
            "the key does not belong to the certificate");
}

TEST(Certificate, KeepsTheObjectsOfThoseUsedLast) {
  const ContextPtr context(SSL_CTX_new(TLS_server_method()));
  const TestCertificate pem = test_certificate("DNS:a");
  std::vector<CertificatePtr> many;
  for (std::size_t i = 0; i < Certificate::kMostLoaded + 100; ++i)
    many.push_back(Certificate::from_pem(pem.chain, pem.key).value_or(nullptr));

  for (const CertificatePtr& certificate : many) ASSERT_TRUE(certificate->use(context.get()));

  EXPECT_EQ(Certificate::loaded(), Certificate::kMostLoaded);
  EXPECT_TRUE(many.front()->use(context.get())) << "made anew";
  many.clear();
  EXPECT_LT(Certificate::loaded(), Certificate::kMostLoaded);
}

TEST(Certificate, WeighsLittleMoreThanItsText) {
  const TestCertificate issuer = test_certificate("DNS:issuer", true);
  constexpr std::size_t kCount = 200;
  std::vector<TestCertificate> texts;
  for (std::size_t i = 0; i < kCount; ++i) texts.push_back(test_certificate("DNS:a,DNS:b"));
  std::vector<CertificatePtr> many;
  many.reserve(kCount);
  const std::size_t before = mallinfo2().uordblks;

  std::size_t own = 0;
  for (const TestCertificate& pem : texts) {
    many.push_back(Certificate::from_pem(pem.chain + issuer.chain, pem.key).value_or(nullptr));
    own += pem.chain.size() + pem.key.size();
  }

  // Nothing is counted where a sanitizer allocates. The issuers' text, kept once, would be 1 KiB more of
  // each.
  EXPECT_LT(mallinfo2().uordblks - before, own + kCount * 1000);
}

TEST(CertificateText, IsOneObjectWhereTextsAreEqual) {
  const TestCertificate issuer = test_certificate("DNS:issuer");
  const TestCertificate a = test_certificate("DNS:a");
  const TestCertificate b = test_certificate("DNS:b");

  const auto first = CertificateText::of(a.chain + issuer.chain, a.key);
  const auto second = CertificateText::of(b.chain + issuer.chain, b.key);

  EXPECT_EQ(first, CertificateText::of(a.chain + issuer.chain, a.key));
  EXPECT_NE(first, second);
  EXPECT_EQ(first->issuers(), second->issuers());
  EXPECT_EQ(first->leaf(), a.chain);
  EXPECT_EQ(first->chain(), a.chain + issuer.chain);
  EXPECT_NE(first, CertificateText::of(a.chain + issuer.chain, b.key));
}

TEST(CertificateText, KeepsWhatIsNoCertificateAsItIs) {
  for (const char* text : {"", "nonsense", "-----BEGIN CERTIFICATE-----\n", "-----END CERTIFICATE-----"})
    EXPECT_EQ(CertificateText::of(text, "key")->chain(), text);
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

TEST(CertificateTable, ServesAnExpiredCertificateOnlyWhereNoValidOneCovers) {
  const auto expired = made("DNS:www.a.example,DNS:b.example", false, -30);
  const auto wildcard = made("DNS:*.a.example", true);
  const auto later = made("DNS:b.example");
  const CertificateTable table({expired, later, wildcard}, nullptr);
  EXPECT_EQ(table.find("www.a.example")->rsa, wildcard);
  EXPECT_FALSE(table.find("www.a.example")->ecdsa);
  EXPECT_EQ(table.find("b.example")->ecdsa, later);

  const CertificateTable alone({wildcard, expired}, nullptr, wildcard->not_after() + std::chrono::hours(1));
  EXPECT_EQ(alone.find("www.a.example")->ecdsa, expired) << "all have expired: the name before the wildcard";
}

TEST(CertificateTable, ServesACertificateThatIsNotYetValidOnlyWhereNoValidOneCovers) {
  const auto next = made("DNS:a.example", false, 7200, 3600);
  const auto current = made("DNS:a.example");
  EXPECT_EQ(CertificateTable({next}, nullptr).find("a.example")->ecdsa, next);
  EXPECT_EQ(CertificateTable({next, current}, nullptr).find("a.example")->ecdsa, current);
  const CertificateTable later({next, current}, nullptr, next->not_before());
  EXPECT_EQ(later.find("a.example")->ecdsa, next);
}

TEST(CertificateTable, TakesACertificateWithoutEndForValid) {
  constexpr long kThousandYears = 365L * 24 * 3600 * 1000;
  const auto endless = made("DNS:a.example", false, kThousandYears);
  EXPECT_GT(endless->not_after(), std::chrono::system_clock::now());
  const CertificateTable table({endless, made("DNS:a.example")}, nullptr);
  EXPECT_EQ(table.find("a.example")->ecdsa, endless);
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

TEST(Certificates, AreSetAgainWhenOneEndsOrTheClockIsPutBack) {
  Certificates certificates;
  const auto own = made("DNS:www.a.example", false, 600);
  const auto wildcard = made("DNS:*.a.example");
  const WallTime now = std::chrono::system_clock::now();
  certificates.set_configured({own, wildcard}, nullptr, now);
  EXPECT_EQ(certificates.table()->find("www.a.example")->ecdsa, own);
  EXPECT_FALSE(certificates.outdated(now));

  const WallTime end = own->not_after();
  EXPECT_TRUE(certificates.outdated(end));
  certificates.set_configured({own, wildcard}, nullptr, end);
  EXPECT_EQ(certificates.table()->find("www.a.example")->ecdsa, wildcard);
  EXPECT_FALSE(certificates.outdated(end));

  EXPECT_TRUE(certificates.outdated(now));
  certificates.set_configured({own, wildcard}, nullptr, now);
  EXPECT_EQ(certificates.table()->find("www.a.example")->ecdsa, own);
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
