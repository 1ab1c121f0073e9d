#include "engine/middleware/certificate_info.h"

#include "engine/net/address.h"

#include <fmt/format.h>
#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/objects.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <memory>
#include <vector>

namespace fairlead::middleware {
namespace {

// A handshake carries few; the bound only keeps the loop finite.
constexpr int kMaxCertificates = 16;

template <auto Free>
struct Freed {
  template <class T>
  void operator()(T* object) const {
    Free(object);
  }
};
using Certificate = std::unique_ptr<X509, Freed<X509_free>>;

std::vector<Certificate> parse_chain(std::string_view pem) {
  const std::unique_ptr<BIO, Freed<BIO_free>> bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  std::vector<Certificate> chain;
  while (bio && chain.size() < kMaxCertificates) {
    Certificate certificate(PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr));
    if (!certificate) break;
    chain.push_back(std::move(certificate));
  }
  return chain;
}

std::string utf8(const ASN1_STRING* text) {
  unsigned char* raw = nullptr;
  const int size = ASN1_STRING_to_UTF8(&raw, text);
  if (size < 0) return {};
  std::string out(reinterpret_cast<const char*>(raw), static_cast<std::size_t>(size));
  OPENSSL_free(raw);
  return out;
}

struct Attribute {
  int nid;
  const char* name;
  bool wanted;
};

// "DC=org,DC=example,C=FR,CN=alice": attributes in this order, each in the order of the certificate. Of
// common names and serial numbers the last one counts, as everywhere in Go.
std::string names(const X509_NAME* from, const std::array<Attribute, 8>& attributes) {
  std::string out;
  for (const Attribute& attribute : attributes) {
    if (!attribute.wanted) continue;
    const bool single = attribute.nid == NID_commonName || attribute.nid == NID_serialNumber;
    for (int at = -1; (at = X509_NAME_get_index_by_NID(from, attribute.nid, at)) >= 0;) {
      if (single && X509_NAME_get_index_by_NID(from, attribute.nid, at) >= 0) continue;
      const std::string value = utf8(X509_NAME_ENTRY_get_data(X509_NAME_get_entry(from, at)));
      if (!value.empty()) out += fmt::format("{}{}={}", out.empty() ? "" : ",", attribute.name, value);
    }
  }
  return out;
}

std::string subject_of(const X509& certificate, const TlsCertSubjectOptions& o) {
  return names(X509_get_subject_name(&certificate),
               {{{NID_domainComponent, "DC", o.domain_component},
                 {NID_countryName, "C", o.country},
                 {NID_stateOrProvinceName, "ST", o.province},
                 {NID_localityName, "L", o.locality},
                 {NID_organizationName, "O", o.organization},
                 {NID_organizationalUnitName, "OU", o.organizational_unit},
                 {NID_serialNumber, "SN", o.serial_number},
                 {NID_commonName, "CN", o.common_name}}});
}

std::string issuer_of(const X509& certificate, const TlsCertIssuerOptions& o) {
  return names(X509_get_issuer_name(&certificate), {{{NID_domainComponent, "DC", o.domain_component},
                                                     {NID_countryName, "C", o.country},
                                                     {NID_stateOrProvinceName, "ST", o.province},
                                                     {NID_localityName, "L", o.locality},
                                                     {NID_organizationName, "O", o.organization},
                                                     {NID_organizationalUnitName, "OU", false},
                                                     {NID_serialNumber, "SN", o.serial_number},
                                                     {NID_commonName, "CN", o.common_name}}});
}

std::string serial_of(const X509& certificate) {
  const std::unique_ptr<BIGNUM, Freed<BN_free>> number(
      ASN1_INTEGER_to_BN(X509_get0_serialNumber(&certificate), nullptr));
  char* text = number ? BN_bn2dec(number.get()) : nullptr;
  if (!text) return {};
  std::string out(text);
  OPENSSL_free(text);
  return out;
}

std::int64_t seconds(const ASN1_TIME* time) {
  std::tm parts{};
  return ASN1_TIME_to_tm(time, &parts) == 1 ? static_cast<std::int64_t>(::timegm(&parts)) : 0;
}

std::string ip_text(const ASN1_OCTET_STRING& raw) {
  net::Ip ip;
  if (raw.length == 4) {
    ip.bytes[10] = ip.bytes[11] = 0xff;
    std::memcpy(ip.bytes.data() + 12, raw.data, 4);
  } else if (raw.length == 16) {
    std::memcpy(ip.bytes.data(), raw.data, 16);
  } else {
    return {};
  }
  return ip.text();
}

// DNS names, then e-mail addresses, then IP addresses, then URIs.
std::string sans_of(const X509& certificate) {
  const std::unique_ptr<GENERAL_NAMES, Freed<GENERAL_NAMES_free>> all(
      static_cast<GENERAL_NAMES*>(X509_get_ext_d2i(&certificate, NID_subject_alt_name, nullptr, nullptr)));
  if (!all) return {};
  std::string out;
  for (const int kind : {GEN_DNS, GEN_EMAIL, GEN_IPADD, GEN_URI})
    for (int i = 0; i < sk_GENERAL_NAME_num(all.get()); ++i) {
      const GENERAL_NAME* name = sk_GENERAL_NAME_value(all.get(), i);
      if (name->type != kind) continue;
      const std::string text = kind == GEN_IPADD ? ip_text(*name->d.iPAddress) : utf8(name->d.ia5);
      out += fmt::format("{}{}", out.empty() ? "" : ",", text);
    }
  return out;
}

std::string info_of(const X509& certificate, const TlsCertInfoOptions& wanted) {
  std::vector<std::string> values;
  if (wanted.subject)
    if (const std::string text = subject_of(certificate, *wanted.subject); !text.empty())
      values.push_back(fmt::format("Subject=\"{}\"", text));
  if (wanted.issuer)
    if (const std::string text = issuer_of(certificate, *wanted.issuer); !text.empty())
      values.push_back(fmt::format("Issuer=\"{}\"", text));
  if (wanted.serial_number) values.push_back(fmt::format("SerialNumber=\"{}\"", serial_of(certificate)));
  if (wanted.not_before)
    values.push_back(fmt::format("NB=\"{}\"", seconds(X509_get0_notBefore(&certificate))));
  if (wanted.not_after) values.push_back(fmt::format("NA=\"{}\"", seconds(X509_get0_notAfter(&certificate))));
  if (wanted.sans)
    if (const std::string text = sans_of(certificate); !text.empty())
      values.push_back(fmt::format("SAN=\"{}\"", text));
  return fmt::format("{}", fmt::join(values, ";"));
}

}  // namespace

std::string bare_certificates(std::string_view chain_pem) {
  constexpr std::string_view kBegin = "-----BEGIN CERTIFICATE-----";
  constexpr std::string_view kEnd = "-----END CERTIFICATE-----";
  std::string out;
  for (int count = 0; count < kMaxCertificates; ++count) {
    const std::size_t begin = chain_pem.find(kBegin);
    const std::size_t end = chain_pem.find(kEnd);
    if (begin == chain_pem.npos || end == chain_pem.npos || end < begin) break;
    if (!out.empty()) out += ',';
    for (const char c : chain_pem.substr(begin + kBegin.size(), end - begin - kBegin.size()))
      if (c != '\n' && c != '\r') out += c;
    chain_pem.remove_prefix(end + kEnd.size());
  }
  return out;
}

std::string certificate_info(std::string_view chain_pem, const TlsCertInfoOptions& wanted) {
  std::string out;
  for (const Certificate& certificate : parse_chain(chain_pem)) {
    if (!out.empty()) out += ',';
    out += info_of(*certificate, wanted);
  }
  return out;
}

}  // namespace fairlead::middleware
