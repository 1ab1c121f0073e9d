#include "engine/tls/certificate.h"

#include "engine/base/strings.h"
#include "engine/net/address.h"

#include <fmt/format.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <array>

namespace fairlead::tls {
namespace {

using std::chrono::system_clock;

constexpr std::size_t kMaxChain = 32;
constexpr long kYear = 365L * 24 * 3600;  // seconds

BioPtr reader(std::string_view bytes) {
  return BioPtr(BIO_new_mem_buf(bytes.data(), static_cast<int>(bytes.size())));
}

// An encrypted key must not ask for its pass phrase on the terminal.
int no_passphrase(char*, int, int, void*) { return 0; }

template <class T>
std::string der_of(T* object, int (*write)(const T*, unsigned char**)) {
  unsigned char* bytes = nullptr;
  const int size = write(object, &bytes);
  if (size <= 0) return {};
  std::string out(reinterpret_cast<const char*>(bytes), static_cast<std::size_t>(size));
  OPENSSL_free(bytes);
  return out;
}

std::string text(const ASN1_STRING* value) {
  return {reinterpret_cast<const char*>(ASN1_STRING_get0_data(value)),
          static_cast<std::size_t>(ASN1_STRING_length(value))};
}

system_clock::time_point time_of(const ASN1_TIME* time) {
  std::tm parts{};
  if (ASN1_TIME_to_tm(time, &parts) != 1) return {};
  return system_clock::from_time_t(::timegm(&parts));
}

std::vector<std::string> names_of(X509* leaf) {
  std::vector<std::string> names;
  const auto add = [&](std::string name) {
    name = lower(name);
    if (!name.empty() && std::ranges::find(names, name) == names.end()) names.push_back(std::move(name));
  };
  const std::unique_ptr<GENERAL_NAMES, Freed<GENERAL_NAMES_free>> list(
      static_cast<GENERAL_NAMES*>(X509_get_ext_d2i(leaf, NID_subject_alt_name, nullptr, nullptr)));
  for (int i = 0; i < sk_GENERAL_NAME_num(list.get()); ++i) {
    const GENERAL_NAME* name = sk_GENERAL_NAME_value(list.get(), i);
    if (name->type == GEN_DNS) add(text(name->d.dNSName));
    if (name->type != GEN_IPADD) continue;
    const std::string raw = text(name->d.iPAddress);
    net::Ip ip;
    if (raw.size() == 16) {
      std::copy(raw.begin(), raw.end(), ip.bytes.begin());
    } else if (raw.size() == 4) {
      ip.bytes[10] = ip.bytes[11] = 0xff;
      std::copy(raw.begin(), raw.end(), ip.bytes.begin() + 12);
    } else {
      continue;
    }
    add(ip.text());
  }
  const X509_NAME* subject = X509_get_subject_name(leaf);
  const int at = X509_NAME_get_index_by_NID(subject, NID_commonName, -1);
  if (at >= 0) {
    const ASN1_STRING* name = X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, at));
    if (const std::string common = text(name); common.find(' ') == std::string::npos) add(common);
  }
  return names;
}

void add_extension(X509* certificate, int nid, const std::string& value) {
  X509V3_CTX context;
  X509V3_set_ctx_nodb(&context);
  X509V3_set_ctx(&context, certificate, certificate, nullptr, nullptr, 0);
  const std::unique_ptr<X509_EXTENSION, Freed<X509_EXTENSION_free>> extension(
      X509V3_EXT_conf_nid(nullptr, &context, nid, value.c_str()));
  if (extension) X509_add_ext(certificate, extension.get(), -1);
}

// id-pe-acmeIdentifier (RFC 8737 §3): critical, an OCTET STRING with the digest of the key authorization.
void add_acme_digest(X509* certificate, std::string_view digest) {
  std::string value{'\x04', static_cast<char>(digest.size())};
  value += digest;
  const std::unique_ptr<ASN1_OBJECT, Freed<ASN1_OBJECT_free>> id(OBJ_txt2obj("1.3.6.1.5.5.7.1.31", 1));
  const std::unique_ptr<ASN1_OCTET_STRING, Freed<ASN1_OCTET_STRING_free>> octets(ASN1_OCTET_STRING_new());
  ASN1_OCTET_STRING_set(octets.get(), reinterpret_cast<const unsigned char*>(value.data()),
                        static_cast<int>(value.size()));
  const std::unique_ptr<X509_EXTENSION, Freed<X509_EXTENSION_free>> extension(
      X509_EXTENSION_create_by_OBJ(nullptr, id.get(), 1, octets.get()));
  X509_add_ext(certificate, extension.get(), -1);
}

}  // namespace

std::string openssl_error() {
  std::string out;
  while (const unsigned long code = ERR_get_error()) {
    if (const char* reason = ERR_reason_error_string(code))
      out = reason;
    else if (out.empty())
      out = fmt::format("error {:x}", code);
  }
  return out.empty() ? "unknown error" : out;
}

void Certificate::describe(X509* leaf) {
  names_ = names_of(leaf);
  not_before_ = time_of(X509_get0_notBefore(leaf));
  not_after_ = time_of(X509_get0_notAfter(leaf));
  const std::unique_ptr<char, Freed<[](char* text) { OPENSSL_free(text); }>> issuer(
      X509_NAME_oneline(X509_get_issuer_name(leaf), nullptr, 0));
  issuer_ = issuer.get();
  const ASN1_INTEGER* serial = X509_get0_serialNumber(leaf);
  for (const char c : text(serial)) serial_ += fmt::format("{:02x}", static_cast<unsigned char>(c));
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest;
  unsigned int size = 0;
  X509_digest(leaf, EVP_sha256(), digest.data(), &size);
  for (unsigned int i = 0; i < size; ++i) fingerprint_ += fmt::format("{:02x}", digest[i]);
  ecdsa_ = EVP_PKEY_get_base_id(X509_get0_pubkey(leaf)) != EVP_PKEY_RSA;
}

Configured<CertificatePtr> Certificate::from_pem(std::string_view chain, std::string_view key) {
  ERR_clear_error();
  std::shared_ptr<Certificate> made(new Certificate);
  const BioPtr chain_bio = reader(chain);
  X509Ptr leaf;
  while (X509Ptr certificate{PEM_read_bio_X509(chain_bio.get(), nullptr, no_passphrase, nullptr)}) {
    if (made->chain_der_.size() == kMaxChain) return misconfigured("certFile", "more than 32 certificates");
    made->chain_der_.push_back(der_of<X509>(certificate.get(), i2d_X509));
    if (!leaf) leaf = std::move(certificate);
  }
  const unsigned long end = ERR_peek_last_error();
  if (!leaf) {
    ERR_clear_error();
    return misconfigured("certFile", "no certificate in PEM form");
  }
  if (ERR_GET_REASON(end) != PEM_R_NO_START_LINE) return misconfigured("certFile", openssl_error());
  ERR_clear_error();
  const BioPtr key_bio = reader(key);
  const KeyPtr private_key(PEM_read_bio_PrivateKey(key_bio.get(), nullptr, no_passphrase, nullptr));
  if (!private_key)
    return misconfigured("keyFile", fmt::format("no usable private key ({})", openssl_error()));
  if (X509_check_private_key(leaf.get(), private_key.get()) != 1) {
    ERR_clear_error();
    return misconfigured("keyFile", "the key does not belong to the certificate");
  }
  made->key_der_ = der_of<EVP_PKEY>(private_key.get(), i2d_PrivateKey);
  made->describe(leaf.get());
  return made;
}

CertificatePtr Certificate::self_signed(const std::string& common_name, const std::vector<std::string>& names,
                                        std::string_view acme_digest) {
  const KeyPtr key(EVP_EC_gen("P-256"));
  const X509Ptr certificate(X509_new());
  if (!key || !certificate) return nullptr;
  X509* x = certificate.get();
  X509_set_version(x, X509_VERSION_3);
  std::array<unsigned char, 16> serial;
  RAND_bytes(serial.data(), serial.size());
  serial[0] = (serial[0] & 0x7f) | 1;  // positive, and of full length
  const std::unique_ptr<BIGNUM, Freed<BN_free>> number(BN_bin2bn(serial.data(), serial.size(), nullptr));
  BN_to_ASN1_INTEGER(number.get(), X509_get_serialNumber(x));
  // An hour back: clocks differ.
  X509_gmtime_adj(X509_getm_notBefore(x), -3600);
  X509_gmtime_adj(X509_getm_notAfter(x), kYear);
  X509_set_pubkey(x, key.get());
  X509_NAME* subject = X509_get_subject_name(x);
  X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_UTF8,
                             reinterpret_cast<const unsigned char*>(common_name.c_str()), -1, -1, 0);
  X509_set_issuer_name(x, subject);
  add_extension(x, NID_basic_constraints, "critical,CA:FALSE");
  add_extension(x, NID_key_usage, "critical,digitalSignature");
  add_extension(x, NID_ext_key_usage, "serverAuth");
  std::string alternatives;
  for (const std::string& name : names)
    alternatives +=
        fmt::format("{}{}:{}", alternatives.empty() ? "" : ",", net::Ip::parse(name) ? "IP" : "DNS", name);
  if (!alternatives.empty()) add_extension(x, NID_subject_alt_name, alternatives);
  if (!acme_digest.empty()) add_acme_digest(x, acme_digest);
  if (X509_sign(x, key.get(), EVP_sha256()) == 0) return nullptr;
  std::shared_ptr<Certificate> made(new Certificate);
  made->chain_der_.push_back(der_of<X509>(x, i2d_X509));
  made->key_der_ = der_of<EVP_PKEY>(key.get(), i2d_PrivateKey);
  made->describe(x);
  return made;
}

const Certificate::Loaded* Certificate::load() const {
  std::call_once(once_, [this] {
    auto made = std::make_unique<Loaded>();
    made->chain.reset(sk_X509_new_null());
    for (const std::string& der : chain_der_) {
      const auto* at = reinterpret_cast<const unsigned char*>(der.data());
      X509Ptr certificate(d2i_X509(nullptr, &at, static_cast<long>(der.size())));
      if (!certificate) return;
      if (!made->leaf)
        made->leaf = std::move(certificate);
      else
        sk_X509_push(made->chain.get(), certificate.release());
    }
    const auto* at = reinterpret_cast<const unsigned char*>(key_der_.data());
    made->key.reset(d2i_AutoPrivateKey(nullptr, &at, static_cast<long>(key_der_.size())));
    if (made->leaf && made->key) loaded_ = std::move(made);
  });
  return loaded_.get();
}

bool Certificate::use(SSL* ssl) const {
  const Loaded* loaded = load();
  return loaded && SSL_use_cert_and_key(ssl, loaded->leaf.get(), loaded->key.get(), loaded->chain.get(),
                                        /*override=*/1) == 1;
}

bool Certificate::use(SSL_CTX* context) const {
  const Loaded* loaded = load();
  return loaded &&
         SSL_CTX_use_cert_and_key(context, loaded->leaf.get(), loaded->key.get(), loaded->chain.get(),
                                  /*override=*/1) == 1;
}

}  // namespace fairlead::tls
