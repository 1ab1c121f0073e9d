#pragma once

#include <openssl/bio.h>
#include <openssl/x509.h>

#include <memory>

namespace fairlead {

struct FreeStatement {
  void operator()(X509* certificate) const { X509_free(certificate); }
};
// A certificate for what it says: no object is made of its public key, which would take four times as long as
// all the rest.
using CertificateStatement = std::unique_ptr<X509, FreeStatement>;

// The next one of a PEM text. Null at the end of the text, or with the reason in OpenSSL's queue.
CertificateStatement read_statement(BIO* pem);

}  // namespace fairlead
