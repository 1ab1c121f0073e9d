// Certificates by the thousand for bench/certificates.py.
//
//   make_certificates FOLDER COUNT   writes FOLDER/N.crt (a leaf for nN.many.test and www.nN.many.test, with
//   its
//                                    intermediate) and FOLDER/N.key for N below COUNT, and all of them as
//                                    FOLDER/acme.json of a resolver `le`. All have one key, and the size of
//                                    those of public authorities.

#include "acme/state_json.h"
#include "engine/tls/pem.h"
#include "engine/tls/pointers.h"

#include <fmt/format.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <string>

namespace {

using namespace fairlead;

void extend(X509* certificate, X509* issuer, int nid, const std::string& value) {
  X509V3_CTX context;
  X509V3_set_ctx_nodb(&context);
  X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
  X509_EXTENSION* extension = X509V3_EXT_conf_nid(nullptr, &context, nid, value.c_str());
  X509_add_ext(certificate, extension, -1);
  X509_EXTENSION_free(extension);
}

tls::X509Ptr certificate(const std::string& name, long serial, X509* issuer, EVP_PKEY* key) {
  tls::X509Ptr made(X509_new());
  X509* x = made.get();
  X509_set_version(x, X509_VERSION_3);
  ASN1_INTEGER_set(X509_get_serialNumber(x), serial);
  X509_gmtime_adj(X509_getm_notBefore(x), -3600);
  X509_gmtime_adj(X509_getm_notAfter(x), 90L * 24 * 3600);
  X509_set_pubkey(x, key);
  X509_NAME_add_entry_by_txt(X509_get_subject_name(x), "CN", MBSTRING_UTF8,
                             reinterpret_cast<const unsigned char*>(name.c_str()), -1, -1, 0);
  X509_set_issuer_name(x, X509_get_subject_name(issuer ? issuer : x));
  extend(x, issuer ? issuer : x, NID_subject_key_identifier, "hash");
  if (!issuer) {
    extend(x, x, NID_basic_constraints, "critical,CA:TRUE");
  } else {
    extend(x, issuer, NID_key_usage, "critical,digitalSignature");
    extend(x, issuer, NID_ext_key_usage, "serverAuth,clientAuth");
    extend(x, issuer, NID_basic_constraints, "critical,CA:FALSE");
    extend(x, issuer, NID_authority_key_identifier, "keyid");
    extend(x, issuer, NID_info_access, "OCSP;URI:http://ocsp.many.test,caIssuers;URI:http://ca.many.test/");
    extend(x, issuer, NID_subject_alt_name, fmt::format("DNS:{0},DNS:www.{0}", name));
    // As large as two signed timestamps of certificate transparency.
    std::array<unsigned char, 240> stamps;
    RAND_bytes(stamps.data(), stamps.size());
    ASN1_OCTET_STRING* bytes = ASN1_OCTET_STRING_new();
    ASN1_OCTET_STRING_set(bytes, stamps.data(), stamps.size());
    X509_EXTENSION* extension = X509_EXTENSION_create_by_NID(nullptr, NID_ct_precert_scts, /*crit=*/0, bytes);
    X509_add_ext(x, extension, -1);
    X509_EXTENSION_free(extension);
    ASN1_OCTET_STRING_free(bytes);
  }
  X509_sign(x, key, EVP_sha256());
  return made;
}

}  // namespace

int main(int count, char** words) {
  if (count != 3) return 2;
  const std::string folder = words[1];
  const tls::KeyPtr key(EVP_EC_gen("P-256"));
  const tls::BioPtr out(BIO_new(BIO_s_mem()));
  PEM_write_bio_PrivateKey_traditional(out.get(), key.get(), nullptr, nullptr, 0, nullptr, nullptr);
  char* bytes = nullptr;
  const long size = BIO_get_mem_data(out.get(), &bytes);
  const std::string key_text(bytes, static_cast<std::size_t>(size));
  const tls::X509Ptr issuer = certificate("many intermediate", 1, nullptr, key.get());
  const std::string issuer_text = tls::to_pem(issuer.get());
  acme::State state;
  for (int i = 0; i < std::atoi(words[2]); ++i) {
    const std::string name = fmt::format("n{}.many.test", i);
    const tls::X509Ptr leaf = certificate(name, i + 2, issuer.get(), key.get());
    const std::string chain = tls::to_pem(leaf.get()) + issuer_text;
    std::ofstream(fmt::format("{}/{}.crt", folder, i)) << chain;
    std::ofstream(fmt::format("{}/{}.key", folder, i)) << key_text;
    state["le"].certificates.push_back(
        {.main = name, .sans = {"www." + name}, .text = tls::CertificateText::of(chain, key_text)});
  }
  std::ofstream file(folder + "/acme.json");
  acme::print_state(state, [&file](std::string_view piece) { file << piece; });
  return file.good() ? 0 : 1;
}
