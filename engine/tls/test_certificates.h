#pragma once

#include "engine/tls/pem.h"
#include "engine/tls/pointers.h"

#include <fmt/format.h>
#include <openssl/bio.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <string>

namespace fairlead::tls {

// A certificate of a test and its key, as PEM texts.
struct TestCertificate {
  std::string chain;
  std::string key;
};

// `names`: as OpenSSL writes them, "DNS:a.example,IP:127.0.0.1"; signed by itself. `left`: seconds of
// validity, from `begins` seconds from now on.
inline TestCertificate test_certificate(const std::string& names, bool rsa = false,
                                        const char* common_name = "test", long left = 3600,
                                        long begins = -60) {
  const KeyPtr key(rsa ? EVP_RSA_gen(2048) : EVP_EC_gen("P-256"));
  const X509Ptr certificate(X509_new());
  X509* x = certificate.get();
  X509_set_version(x, X509_VERSION_3);
  ASN1_INTEGER_set(X509_get_serialNumber(x), 7);
  X509_gmtime_adj(X509_getm_notBefore(x), begins);
  X509_gmtime_adj(X509_getm_notAfter(x), left);
  X509_set_pubkey(x, key.get());
  X509_NAME_add_entry_by_txt(X509_get_subject_name(x), "CN", MBSTRING_UTF8,
                             reinterpret_cast<const unsigned char*>(common_name), -1, -1, 0);
  X509_set_issuer_name(x, X509_get_subject_name(x));
  X509V3_CTX context;
  X509V3_set_ctx_nodb(&context);
  X509V3_set_ctx(&context, x, x, nullptr, nullptr, 0);
  if (!names.empty()) {
    X509_EXTENSION* extension = X509V3_EXT_conf_nid(nullptr, &context, NID_subject_alt_name, names.c_str());
    X509_add_ext(x, extension, -1);
    X509_EXTENSION_free(extension);
  }
  X509_sign(x, key.get(), EVP_sha256());
  const BioPtr bio(BIO_new(BIO_s_mem()));
  PEM_write_bio_PrivateKey(bio.get(), key.get(), nullptr, nullptr, 0, nullptr, nullptr);
  const char* data = nullptr;
  const long size = BIO_get_mem_data(bio.get(), &data);
  return {to_pem(x), {data, static_cast<std::size_t>(size)}};
}

}  // namespace fairlead::tls
