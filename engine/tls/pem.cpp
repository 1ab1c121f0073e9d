#include "engine/tls/pem.h"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/sha.h>

namespace fairlead::tls {

Configured<std::vector<X509Ptr>> read_certificates(std::string_view pem) {
  ERR_clear_error();
  const BioPtr bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  std::vector<X509Ptr> out;
  while (X509Ptr certificate{PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr)}) {
    if (out.size() == 1024) return misconfigured({}, "more than 1,024 certificates");
    out.push_back(std::move(certificate));
  }
  const unsigned long end = ERR_peek_last_error();
  if (ERR_GET_REASON(end) != PEM_R_NO_START_LINE) return misconfigured({}, openssl_error());
  ERR_clear_error();
  if (out.empty()) return misconfigured({}, "no certificate in PEM form");
  return out;
}

std::string digest_of(X509* certificate) {
  unsigned char* der = nullptr;
  const int size = i2d_X509(certificate, &der);
  std::string out(SHA256_DIGEST_LENGTH, '\0');
  if (size <= 0) return out;
  SHA256(der, static_cast<std::size_t>(size), reinterpret_cast<unsigned char*>(out.data()));
  OPENSSL_free(der);
  return out;
}

std::string to_pem(X509* certificate) {
  const BioPtr bio(BIO_new(BIO_s_mem()));
  PEM_write_bio_X509(bio.get(), certificate);
  const char* data = nullptr;
  const long size = BIO_get_mem_data(bio.get(), &data);
  return {data, static_cast<std::size_t>(size)};
}

}  // namespace fairlead::tls
