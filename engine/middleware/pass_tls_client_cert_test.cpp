#include "engine/middleware/pass_tls_client_cert.h"

#include "engine/exchange/test_exchange.h"
#include "engine/http/url.h"
#include "engine/middleware/certificate_info.h"
#include "engine/middleware/test_options.h"

#include <gtest/gtest.h>
#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <algorithm>

namespace fairlead::middleware {
namespace {

// A certificate of alice's, valid from 2023-11-14 22:13:20 UTC for a day, in PEM.
std::string certificate(bool has_names = true) {
  X509* x = X509_new();
  EVP_PKEY* key = EVP_EC_gen("P-256");
  ASN1_INTEGER_set(X509_get_serialNumber(x), 4711);
  ASN1_TIME_set(X509_getm_notBefore(x), 1'700'000'000);
  ASN1_TIME_set(X509_getm_notAfter(x), 1'700'086'400);
  X509_NAME* name = X509_get_subject_name(x);
  const auto add = [&](const char* field, const char* value) {
    X509_NAME_add_entry_by_txt(name, field, MBSTRING_UTF8, reinterpret_cast<const unsigned char*>(value), -1,
                               -1, 0);
  };
  add("DC", "org");
  add("CN", "earlier");
  add("CN", "alice");
  add("O", "Example, Inc");
  add("C", "FR");
  add("OU", "Lab");
  X509_set_issuer_name(x, name);
  if (has_names) {
    X509_EXTENSION* names = X509V3_EXT_conf_nid(nullptr, nullptr, NID_subject_alt_name,
                                                "IP:192.0.2.7,DNS:a.example,email:a@a.example");
    X509_add_ext(x, names, -1);
    X509_EXTENSION_free(names);
  }
  X509_set_pubkey(x, key);
  X509_sign(x, key, EVP_sha256());
  BIO* out = BIO_new(BIO_s_mem());
  PEM_write_bio_X509(out, x);
  char* text = nullptr;
  const long size = BIO_get_mem_data(out, &text);
  std::string pem(text, static_cast<std::size_t>(size));
  BIO_free(out);
  EVP_PKEY_free(key);
  X509_free(x);
  return pem;
}

TEST(PassTlsClientCert, DoesNothingWithoutACertificate) {
  const test::Made made("passTLSClientCert", {{"pem", "true"}});
  auto x = test::get("/");
  x.over_tls();

  test::run(*made, x);

  EXPECT_TRUE(x.request.fields.empty());
}

TEST(PassTlsClientCert, SendsTheChainWithoutMarkersAndLineEnds) {
  const test::Made made("passTLSClientCert", {{"pem", "true"}});
  auto x = test::get("/");
  x.over_tls().header("X_Forwarded_Tls_Client_Cert", "forged");
  x.facts.client_chain_pem = certificate() + certificate();

  test::run(*made, x);

  const std::string_view sent = x.request.fields.get("X-Forwarded-Tls-Client-Cert");
  EXPECT_EQ(x.request.fields.size(), 1u);
  EXPECT_TRUE(sent.starts_with("MII"));
  EXPECT_EQ(std::ranges::count(sent, ','), 1);
  EXPECT_EQ(sent.find_first_of("\r\n-"), sent.npos);
}

TEST(PassTlsClientCert, SendsChosenPartsEscaped) {
  const test::Made made("passTLSClientCert", {{"info.subject.commonName", "true"},
                                              {"info.subject.domainComponent", "true"},
                                              {"info.subject.country", "true"},
                                              {"info.subject.organizationalUnit", "true"},
                                              {"info.issuer.organization", "true"},
                                              {"info.serialNumber", "true"},
                                              {"info.notBefore", "true"},
                                              {"info.notAfter", "true"},
                                              {"info.sans", "true"}});
  auto x = test::get("/");
  x.over_tls();
  x.facts.client_chain_pem = certificate();

  test::run(*made, x);

  const std::string_view sent = x.request.fields.get("X-Forwarded-Tls-Client-Cert-Info");
  EXPECT_TRUE(sent.starts_with("Subject%3D%22DC%3Dorg%2CC%3DFR%2COU%3DLab%2CCN%3Dalice%22%3BIssuer")) << sent;
  EXPECT_EQ(http::decode_query(sent),
            "Subject=\"DC=org,C=FR,OU=Lab,CN=alice\";Issuer=\"O=Example, Inc\";SerialNumber=\"4711\";"
            "NB=\"1700000000\";NA=\"1700086400\";SAN=\"a.example,a@a.example,192.0.2.7\"");
}

TEST(PassTlsClientCert, LeavesOutWhatTheCertificateDoesNotHave) {
  TlsCertInfoOptions wanted;
  wanted.sans = wanted.serial_number = true;
  wanted.subject.emplace().locality = true;

  EXPECT_EQ(certificate_info(certificate(false), wanted), "SerialNumber=\"4711\"");
}

TEST(PassTlsClientCert, JoinsTheCertificatesOfAChainByCommas) {
  EXPECT_EQ(certificate_info(certificate() + certificate(), {.serial_number = true}),
            "SerialNumber=\"4711\",SerialNumber=\"4711\"");
}

}  // namespace
}  // namespace fairlead::middleware
