#include "acme/csr.h"
#include "acme/encoding.h"
#include "acme/jws.h"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include <openssl/x509v3.h>

namespace fairlead::acme {
namespace {

using Json = nlohmann::json;

// RFC 7638 §3.1: the example key cannot be built from its public half alone, so the property is checked: the
// thumbprint hashes the members in lexical order without white space.
TEST(Key, HasTheThumbprintOfItsPublicHalf) {
  for (const char* type : {"EC256", "EC384", "RSA2048"}) {
    const SharedKey key = Key::generate(type);
    ASSERT_TRUE(key) << type;

    EXPECT_EQ(Json::parse(key->jwk()).dump(), key->jwk()) << "members in lexical order, no white space";
    EXPECT_EQ(key->thumbprint(), base64url(sha256(key->jwk())));
  }
  EXPECT_FALSE(Key::generate("DSA"));
}

TEST(Key, IsOfTheUsualTypeWhereNoneOfThatNameIsKnown) {
  EXPECT_EQ(usable_key_type("RSA2048"), "RSA2048");
  EXPECT_EQ(usable_key_type("rsa2048"), "EC256");
  EXPECT_TRUE(Key::generate(usable_key_type("")));
}

// Verified by OpenSSL with the signature put back into DER.
bool verifies(const Key& key, const std::string& bytes, const std::string& signature) {
  std::string der = signature;
  if (key.algorithm() != "RS256") {
    const std::size_t half = signature.size() / 2;
    ECDSA_SIG* parts = ECDSA_SIG_new();
    ECDSA_SIG_set0(parts, BN_bin2bn(bytes_of(signature), static_cast<int>(half), nullptr),
                   BN_bin2bn(bytes_of(signature) + half, static_cast<int>(half), nullptr));
    unsigned char* out = nullptr;
    const int size = i2d_ECDSA_SIG(parts, &out);
    der.assign(reinterpret_cast<const char*>(out), static_cast<std::size_t>(size));
    OPENSSL_free(out);
    ECDSA_SIG_free(parts);
  }
  const DigestPtr context(EVP_MD_CTX_new());
  const EVP_MD* digest = key.algorithm() == "ES384" ? EVP_sha384() : EVP_sha256();
  return EVP_DigestVerifyInit(context.get(), nullptr, digest, nullptr, key.get()) == 1 &&
         EVP_DigestVerify(context.get(), bytes_of(der), der.size(), bytes_of(bytes), bytes.size()) == 1;
}

TEST(Key, SignsInJosesForm) {
  const std::pair<const char*, std::size_t> sizes[] = {{"EC256", 64}, {"EC384", 96}, {"RSA2048", 256}};
  for (const auto& [type, size] : sizes) {
    const SharedKey key = Key::generate(type);
    for (int i = 0; i < 20; ++i) {
      const std::string signature = key->sign("header.payload");
      ASSERT_EQ(signature.size(), size) << type;
      ASSERT_TRUE(verifies(*key, "header.payload", signature)) << type;
    }
  }
}

TEST(Key, KeepsTraditionalForms) {
  const SharedKey rsa = Key::generate("RSA2048");
  const SharedKey ec = Key::generate("EC256");

  EXPECT_TRUE(rsa->pem().starts_with("-----BEGIN RSA PRIVATE KEY-----"));
  EXPECT_TRUE(ec->pem().starts_with("-----BEGIN EC PRIVATE KEY-----"));
  const auto again = Key::from_der(rsa->der());
  ASSERT_TRUE(again);
  EXPECT_EQ((*again)->thumbprint(), rsa->thumbprint());
  EXPECT_FALSE(Key::from_der("nonsense"));
}

TEST(Jws, SignsWhatItSends) {
  const SharedKey key = Key::generate("EC256");

  const Json sent = Json::parse(signed_request(*key, {"https://ca/new", "n0nce", "https://ca/acct/1"}, "{}"));

  const Json header = Json::parse(*from_base64url(sent["protected"].get<std::string>()));
  EXPECT_EQ(
      header,
      (Json{{"alg", "ES256"}, {"kid", "https://ca/acct/1"}, {"nonce", "n0nce"}, {"url", "https://ca/new"}}));
  EXPECT_TRUE(verifies(*key, sent["protected"].get<std::string>() + "." + sent["payload"].get<std::string>(),
                       *from_base64url(sent["signature"].get<std::string>())));
  const Json first = Json::parse(signed_request(*key, {"https://ca/new", "n", ""}, ""));
  EXPECT_EQ(Json::parse(*from_base64url(first["protected"].get<std::string>()))["jwk"],
            Json::parse(key->jwk()));
  EXPECT_EQ(first["payload"], "") << "POST-as-GET";
}

TEST(Encoding, TakesBase64WithAndWithoutPaddingAndNothingElse) {
  EXPECT_EQ(base64("ab"), "YWI=");
  EXPECT_EQ(base64url("\xfb\xff"), "-_8");
  EXPECT_EQ(from_base64("YWI="), "ab");
  EXPECT_EQ(from_base64("YW\nI"), "ab");
  EXPECT_EQ(from_base64url("-_8"), "\xfb\xff");
  for (const char* bad : {"Y", "YW I=", " YWI=", "YW=I", "YWI*", "YWIää"})
    EXPECT_FALSE(from_base64(bad)) << bad;
}

TEST(Csr, HoldsNamesAddressesAndNoMore) {
  const SharedKey key = Key::generate("EC256");

  const std::string der = certificate_request(
      *key, {.names = {"a.test", "*.b.test", "192.0.2.1", "2001:db8::1"}, .email_addresses = {"x@a.test"}});

  const unsigned char* at = bytes_of(der);
  const RequestPtr request(d2i_X509_REQ(nullptr, &at, static_cast<long>(der.size())));
  ASSERT_TRUE(request);
  EXPECT_EQ(X509_REQ_verify(request.get(), key->get()), 1);
  const BioPtr out(BIO_new(BIO_s_mem()));
  X509_REQ_print(out.get(), request.get());
  const std::string text = text_of(out.get());
  EXPECT_NE(text.find("Subject: CN=a.test"), std::string::npos) << text;
  EXPECT_NE(
      text.find(
          "DNS:a.test, DNS:*.b.test, IP Address:192.0.2.1, IP Address:2001:DB8:0:0:0:0:0:1, email:x@a.test"),
      std::string::npos)
      << text;
  EXPECT_EQ(certificate_request(*key, {.names = {"a.test,DNS:evil.test"}, .email_addresses = {}}), "")
      << "a comma must not add a name";
}

TEST(Csr, LeavesTheCommonNameOutOnRequestAndForAddresses) {
  const SharedKey key = Key::generate("EC256");
  const auto subject = [&](const CsrOptions& options) {
    const std::string der = certificate_request(*key, options);
    const unsigned char* at = bytes_of(der);
    const RequestPtr request(d2i_X509_REQ(nullptr, &at, static_cast<long>(der.size())));
    return X509_NAME_entry_count(X509_REQ_get_subject_name(request.get()));
  };

  EXPECT_EQ(subject({.names = {"a.test"}, .email_addresses = {}, .common_name = false}), 0);
  EXPECT_EQ(subject({.names = {"192.0.2.1"}, .email_addresses = {}}), 0);
  EXPECT_EQ(subject({.names = {"a.test"}, .email_addresses = {}}), 1);
}

}  // namespace
}  // namespace fairlead::acme
