#include "engine/tls/certificate_details.h"

#include <fmt/format.h>
#include <openssl/sha.h>

#include <array>

namespace fairlead::tls {
namespace {

std::string entry(const X509_NAME* name, int nid) {
  const int at = X509_NAME_get_index_by_NID(name, nid, -1);
  if (at < 0) return {};
  unsigned char* utf8 = nullptr;
  const int size = ASN1_STRING_to_UTF8(&utf8, X509_NAME_ENTRY_get_data(X509_NAME_get_entry(name, at)));
  if (size < 0) return {};
  std::string out(reinterpret_cast<const char*>(utf8), static_cast<std::size_t>(size));
  OPENSSL_free(utf8);
  return out;
}

std::string key_type(const EVP_PKEY* key) {
  switch (EVP_PKEY_get_base_id(key)) {
    case EVP_PKEY_RSA: return "RSA";
    case EVP_PKEY_EC: return "ECDSA";
    case EVP_PKEY_ED25519: return "Ed25519";
    default: return OBJ_nid2sn(EVP_PKEY_get_base_id(key));
  }
}

}  // namespace

CertificateDetails details_of(const Certificate& certificate) {
  CertificateDetails out;
  const X509Ptr leaf = certificate.leaf();
  if (!leaf) return out;
  const X509_NAME* subject = X509_get_subject_name(leaf.get());
  const X509_NAME* issuer = X509_get_issuer_name(leaf.get());
  out.common_name = entry(subject, NID_commonName);
  out.organization = entry(subject, NID_organizationName);
  out.country = entry(subject, NID_countryName);
  out.issuer_common_name = entry(issuer, NID_commonName);
  out.issuer_organization = entry(issuer, NID_organizationName);
  out.issuer_country = entry(issuer, NID_countryName);
  out.version = static_cast<int>(X509_get_version(leaf.get())) + 1;
  out.signature_algorithm = OBJ_nid2ln(X509_get_signature_nid(leaf.get()));
  const EVP_PKEY* key = X509_get0_pubkey(leaf.get());
  if (!key) return out;
  out.key_type = key_type(key);
  out.key_bits = EVP_PKEY_get_bits(key);
  unsigned char* info = nullptr;
  const int size = i2d_PUBKEY(key, &info);
  if (size <= 0) return out;
  std::array<unsigned char, SHA256_DIGEST_LENGTH> digest;
  SHA256(info, static_cast<std::size_t>(size), digest.data());
  OPENSSL_free(info);
  for (const unsigned char byte : digest) out.public_key_fingerprint += fmt::format("{:02x}", byte);
  return out;
}

}  // namespace fairlead::tls
