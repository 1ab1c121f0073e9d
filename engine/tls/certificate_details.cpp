#include "engine/tls/certificate_details.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <openssl/bn.h>
#include <openssl/sha.h>
#include <openssl/x509v3.h>

#include <array>
#include <memory>
#include <string_view>

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

std::string_view bytes_of(const ASN1_STRING* text) {
  return {reinterpret_cast<const char*>(ASN1_STRING_get0_data(text)),
          static_cast<std::size_t>(ASN1_STRING_length(text))};
}

std::string decimal(const ASN1_INTEGER* number) {
  const std::unique_ptr<BIGNUM, Freed<BN_free>> value(ASN1_INTEGER_to_BN(number, nullptr));
  char* digits = value ? BN_bn2dec(value.get()) : nullptr;
  if (!digits) return {};
  std::string out = digits;
  OPENSSL_free(digits);
  return out;
}

std::string signature_algorithm(X509* leaf) {
  int digest = NID_undef;
  int key = NID_undef;
  if (X509_get_signature_info(leaf, &digest, &key, nullptr, nullptr) != 1)
    return OBJ_nid2ln(X509_get_signature_nid(leaf));
  const char* const hash = OBJ_nid2sn(digest);
  switch (key) {
    case NID_rsaEncryption: return fmt::format("{}-RSA", hash);
    case NID_rsassaPss: return fmt::format("{}-RSAPSS", hash);
    case NID_X9_62_id_ecPublicKey: return fmt::format("ECDSA-{}", hash);
    case NID_ED25519: return "Ed25519";
    default: return OBJ_nid2ln(X509_get_signature_nid(leaf));
  }
}

void alternative_names(const X509* leaf, CertificateDetails& out) {
  const std::unique_ptr<GENERAL_NAMES, Freed<GENERAL_NAMES_free>> names(
      static_cast<GENERAL_NAMES*>(X509_get_ext_d2i(leaf, NID_subject_alt_name, nullptr, nullptr)));
  for (int i = 0; names && i < sk_GENERAL_NAME_num(names.get()); ++i) {
    const GENERAL_NAME* name = sk_GENERAL_NAME_value(names.get(), i);
    if (name->type == GEN_DNS) out.dns_names.emplace_back(bytes_of(name->d.dNSName));
    if (name->type != GEN_IPADD) continue;
    const std::string_view raw = bytes_of(name->d.iPAddress);
    std::array<char, INET6_ADDRSTRLEN> text{};
    if ((raw.size() == 4 && ::inet_ntop(AF_INET, raw.data(), text.data(), text.size())) ||
        (raw.size() == 16 && ::inet_ntop(AF_INET6, raw.data(), text.data(), text.size())))
      out.addresses.emplace_back(text.data());
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
  out.serial = decimal(X509_get0_serialNumber(leaf.get()));
  alternative_names(leaf.get(), out);
  out.signature_algorithm = signature_algorithm(leaf.get());
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
