#include "engine/base/certificate_statement.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/provider.h>

namespace fairlead {

CertificateStatement read_statement(BIO* pem) {
  // A library context in which nothing can be decoded; never freed, as OpenSSL's own.
  static OSSL_LIB_CTX* const bare = [] {
    OSSL_LIB_CTX* made = OSSL_LIB_CTX_new();
    OSSL_PROVIDER_load(made, "null");
    return made;
  }();
  unsigned char* der = nullptr;
  long size = 0;
  // An encrypted block must not ask for its pass phrase on the terminal.
  const auto no_passphrase = [](char*, int, int, void*) { return 0; };
  if (PEM_bytes_read_bio(&der, &size, nullptr, PEM_STRING_X509, pem, no_passphrase, nullptr) != 1)
    return nullptr;
  ERR_set_mark();
  X509* certificate = X509_new_ex(bare, nullptr);
  const unsigned char* at = der;
  CertificateStatement out(d2i_X509(&certificate, &at, size));
  ERR_pop_to_mark();
  if (!out) {
    // With an object to fill, OpenSSL also looks at extensions, and takes fewer certificates than without.
    X509_free(certificate);
    at = der;
    out.reset(d2i_X509(nullptr, &at, size));
  }
  OPENSSL_free(der);
  return out;
}

}  // namespace fairlead
