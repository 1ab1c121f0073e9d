#include "acme/chain.h"

#include "acme/encoding.h"
#include "acme/openssl.h"
#include "engine/base/certificate_statement.h"
#include "engine/base/strings.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <array>

namespace fairlead::acme {
namespace {

constexpr std::size_t kMaxChain = 32;

using NamesPtr = std::unique_ptr<GENERAL_NAMES, OpenSslFree<GENERAL_NAMES_free>>;
using AuthorityPtr = std::unique_ptr<AUTHORITY_KEYID, OpenSslFree<AUTHORITY_KEYID_free>>;

// An encrypted block must not ask for its pass phrase on the terminal.
int no_passphrase(char*, int, int, void*) { return 0; }

std::string text(const ASN1_STRING* value) {
  return {reinterpret_cast<const char*>(ASN1_STRING_get0_data(value)),
          static_cast<std::size_t>(ASN1_STRING_length(value))};
}

WallTime time_of(const ASN1_TIME* time) {
  std::tm parts{};
  // WallTime counts nanoseconds in 64 bits: it ends in 2262.
  if (ASN1_TIME_to_tm(time, &parts) != 1 || parts.tm_year > 340) return WallTime::max();
  return WallTime(std::chrono::seconds(::timegm(&parts)));
}

std::string der_of(X509* certificate) {
  unsigned char* der = nullptr;
  const int size = i2d_X509(certificate, &der);
  if (size <= 0) return {};
  std::string out(reinterpret_cast<char*>(der), static_cast<std::size_t>(size));
  OPENSSL_free(der);
  return out;
}

std::string address(const std::string& raw) {
  std::array<char, INET6_ADDRSTRLEN> out{};
  const int family = raw.size() == 4 ? AF_INET : AF_INET6;
  if (raw.size() != 4 && raw.size() != 16) return {};
  return ::inet_ntop(family, raw.data(), out.data(), out.size()) ? out.data() : "";
}

std::string common_name(const X509_NAME* name) {
  const int at = X509_NAME_get_index_by_NID(name, NID_commonName, -1);
  return at < 0 ? std::string() : text(X509_NAME_ENTRY_get_data(X509_NAME_get_entry(name, at)));
}

std::vector<std::string> names_of(const X509* leaf) {
  std::vector<std::string> out;
  const NamesPtr list(
      static_cast<GENERAL_NAMES*>(X509_get_ext_d2i(leaf, NID_subject_alt_name, nullptr, nullptr)));
  const auto add = [&out](std::string name) {
    name = lower(name);
    if (!name.empty() && std::ranges::find(out, name) == out.end()) out.push_back(std::move(name));
  };
  for (int i = 0; i < sk_GENERAL_NAME_num(list.get()); ++i) {
    const GENERAL_NAME* name = sk_GENERAL_NAME_value(list.get(), i);
    if (name->type == GEN_DNS) add(text(name->d.dNSName));
    if (name->type == GEN_IPADD) add(address(text(name->d.iPAddress)));
  }
  // The common name counts only where there is nothing else.
  if (out.empty()) add(common_name(X509_get_subject_name(leaf)));
  return out;
}

std::string one_line(const X509_NAME* name) {
  const BioPtr out(BIO_new(BIO_s_mem()));
  X509_NAME_print_ex(out.get(), name, 0, XN_FLAG_ONELINE & ~ASN1_STRFLGS_ESC_MSB & ~XN_FLAG_SPC_EQ);
  return text_of(out.get());
}

void describe(X509* leaf, Chain& out) {
  out.names = names_of(leaf);
  out.not_before = time_of(X509_get0_notBefore(leaf));
  out.not_after = time_of(X509_get0_notAfter(leaf));
  out.issuer = one_line(X509_get_issuer_name(leaf));
  const ASN1_INTEGER* serial = X509_get0_serialNumber(leaf);
  out.serial = hex(text(serial));
  out.fingerprint = hex(sha256(der_of(leaf)));
  const AuthorityPtr authority(
      static_cast<AUTHORITY_KEYID*>(X509_get_ext_d2i(leaf, NID_authority_key_identifier, nullptr, nullptr)));
  if (!authority || !authority->keyid) return;
  // The serial number as DER has it: with a zero byte in front of a first bit that is set.
  std::string number = text(serial);
  if (!number.empty() && (static_cast<unsigned char>(number[0]) & 0x80) != 0) number.insert(0, 1, '\0');
  out.renewal_id = fmt::format("{}.{}", base64url(text(authority->keyid)), base64url(number));
}

}  // namespace

Configured<Chain> read_chain(std::string_view pem) {
  ERR_clear_error();
  const BioPtr in = reader(pem);
  Chain out;
  std::size_t count = 0;
  while (const CertificateStatement certificate = read_statement(in.get())) {
    if (++count > kMaxChain) return misconfigured({}, "more than 32 certificates");
    if (count == 1) describe(certificate.get(), out);
    out.top_issuer = common_name(X509_get_issuer_name(certificate.get()));
  }
  const unsigned long end = ERR_peek_last_error();
  if (ERR_GET_REASON(end) != PEM_R_NO_START_LINE) return misconfigured({}, openssl_words());
  ERR_clear_error();
  if (count == 0) return misconfigured({}, "no certificate in PEM form");
  if (out.names.empty()) return misconfigured({}, "a certificate without names");
  return out;
}

bool belongs(std::string_view chain_pem, std::string_view key_pem) {
  const BioPtr chain = reader(chain_pem);
  const BioPtr key = reader(key_pem);
  const X509Ptr leaf(PEM_read_bio_X509(chain.get(), nullptr, no_passphrase, nullptr));
  const KeyPtr read(PEM_read_bio_PrivateKey(key.get(), nullptr, no_passphrase, nullptr));
  const bool good = leaf && read && X509_check_private_key(leaf.get(), read.get()) == 1;
  ERR_clear_error();
  return good;
}

bool covers(std::string_view of, std::string_view name) {
  if (of == name) return true;
  if (!of.starts_with("*.") || name.starts_with("*.")) return false;
  const auto dot = name.find('.');
  return dot != std::string_view::npos && dot > 0 && name.substr(dot) == of.substr(1);
}

bool covers(const std::vector<std::string>& names, std::string_view name) {
  return std::ranges::any_of(names, [name](const std::string& of) { return covers(of, name); });
}

}  // namespace fairlead::acme
