#include "engine/tls/certificate.h"

#include "engine/base/certificate_statement.h"
#include "engine/base/strings.h"
#include "engine/net/address.h"
#include "engine/tls/pem.h"

#include <fmt/format.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <array>
#include <list>
#include <mutex>
#include <unordered_map>
#include <utility>

namespace fairlead::tls {
namespace {

using std::chrono::system_clock;

constexpr int kMaxChain = 32;
constexpr std::size_t kFewIssuers = 1024;  // fewer are not worth a look for those that are gone
constexpr long kYear = 365L * 24 * 3600;   // seconds

BioPtr reader(std::string_view bytes) {
  return BioPtr(BIO_new_mem_buf(bytes.data(), static_cast<int>(bytes.size())));
}

// An encrypted key must not ask for its pass phrase on the terminal.
int no_passphrase(char*, int, int, void*) { return 0; }

std::string text(const ASN1_STRING* value) {
  return {reinterpret_cast<const char*>(ASN1_STRING_get0_data(value)),
          static_cast<std::size_t>(ASN1_STRING_length(value))};
}

system_clock::time_point time_of(const ASN1_TIME* time) {
  std::tm parts{};
  if (ASN1_TIME_to_tm(time, &parts) != 1) return {};
  // The clock counts nanoseconds in 64 bits: it ends in 2262, and some authorities issue until 9999.
  if (parts.tm_year > 340) return system_clock::time_point::max();
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

// "C=US, O=Example, CN=R3"
std::string one_line(const X509_NAME* name) {
  const BioPtr out(BIO_new(BIO_s_mem()));
  X509_NAME_print_ex(out.get(), name, 0, XN_FLAG_ONELINE & ~ASN1_STRFLGS_ESC_MSB & ~XN_FLAG_SPC_EQ);
  const char* data = nullptr;
  const long size = BIO_get_mem_data(out.get(), &data);
  return {data, static_cast<std::size_t>(size)};
}

KeyPtr read_key(std::string_view pem) {
  return KeyPtr(PEM_read_bio_PrivateKey(reader(pem).get(), nullptr, no_passphrase, nullptr));
}

// ", since it ...": what was probably done to a file without a certificate or key in it; empty: no idea.
std::string as_it(std::string_view text) {
  constexpr char kSequence = '\x30';  // the first byte of what is encoded in DER
  const auto has = [text](std::string_view what) { return text.find(what) != std::string_view::npos; };
  if (text.find_first_not_of(" \t\r\n") == std::string_view::npos) return ", since it is empty";
  if (text.front() == kSequence) return ", since it is binary (DER or PKCS #12): convert it with openssl";
  if (has("----------BEGIN ")) return ", since a line end is missing between two blocks";
  if (has("-----BEGIN ") && !has("-----END ")) return ", since it is cut: it has no END line";
  return {};
}

bool is_rsa(const X509* leaf) {
  ASN1_OBJECT* kind = nullptr;
  X509_PUBKEY_get0_param(&kind, nullptr, nullptr, nullptr, X509_get_X509_PUBKEY(leaf));
  return OBJ_obj2nid(kind) == NID_rsaEncryption;
}

// Whether the bytes of a private key hold the leaf's public key, as EC keys (RFC 5915 §3) and RSA keys (RFC
// 8017 §A.1.2) do: then it belongs to it, and need not be read before it is used.
bool holds_public_key(std::string_view key_pem, const X509* leaf) {
  constexpr std::size_t kLeast = 33;  // a point of P-256, compressed
  const ASN1_BIT_STRING* bits = X509_get0_pubkey_bitstr(leaf);
  std::string_view wanted(reinterpret_cast<const char*>(ASN1_STRING_get0_data(bits)),
                          static_cast<std::size_t>(ASN1_STRING_length(bits)));
  // RSA: the modulus and the exponent, without the SEQUENCE around them.
  if (is_rsa(leaf) && wanted.size() > 4)
    wanted.remove_prefix((wanted[1] & 0x80) == 0 ? 2 : 2 + (wanted[1] & 0x7f));
  if (wanted.size() < kLeast) return false;
  const BioPtr bio = reader(key_pem);
  char* label = nullptr;
  char* header = nullptr;
  unsigned char* bytes = nullptr;
  long size = 0;
  bool found = false;
  while (!found && PEM_read_bio(bio.get(), &label, &header, &bytes, &size) == 1) {
    const std::string_view kind = label;
    const std::string_view all(reinterpret_cast<const char*>(bytes), static_cast<std::size_t>(size));
    found = kind.ends_with("PRIVATE KEY") && *header == '\0' && all.find(wanted) != std::string_view::npos;
    OPENSSL_free(label);
    OPENSSL_free(header);
    OPENSSL_clear_free(bytes, static_cast<std::size_t>(size));
  }
  ERR_clear_error();
  return found;
}

// "the key does not belong to the certificate", and what may have happened.
std::string mismatch(EVP_PKEY* key, const STACK_OF(X509) * issuers) {
  for (int i = 0; i < sk_X509_num(issuers); ++i) {
    if (X509_check_private_key(sk_X509_value(issuers, i), key) != 1) continue;
    return fmt::format(
        "the key belongs to certificate {} of the chain: the server's own must come first, then its issuers",
        i + 2);
  }
  return "the key does not belong to the certificate";
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
  issuer_ = one_line(X509_get_issuer_name(leaf));
  for (const char c : digest_of(leaf)) fingerprint_ += fmt::format("{:02x}", static_cast<unsigned char>(c));
  ecdsa_ = !is_rsa(leaf);
}

// Issuers of a chain, read once for all chains that end in the same.
struct Certificate::Issuers {
  std::shared_ptr<const std::string> text;
  ChainPtr chain;
};

Configured<std::shared_ptr<const Certificate::Issuers>> Certificate::read_issuers(
    const CertificateText& text) {
  static std::mutex mutex;
  static std::unordered_map<const std::string*, std::weak_ptr<const Issuers>> all;
  static std::size_t sweep_at = kFewIssuers;
  const std::lock_guard lock(mutex);
  std::weak_ptr<const Issuers>& slot = all[text.issuers().get()];
  if (auto known = slot.lock()) return known;
  auto made = std::make_shared<Issuers>();
  made->text = text.issuers();
  made->chain.reset(sk_X509_new_null());
  const BioPtr bio = reader(*made->text);
  while (X509Ptr certificate{PEM_read_bio_X509(bio.get(), nullptr, no_passphrase, nullptr)}) {
    if (sk_X509_num(made->chain.get()) == kMaxChain - 1)
      return misconfigured("certFile", fmt::format("more than {} certificates", kMaxChain));
    sk_X509_push(made->chain.get(), certificate.release());
  }
  const unsigned long end = ERR_peek_last_error();
  if (ERR_GET_REASON(end) != PEM_R_NO_START_LINE) return misconfigured("certFile", openssl_error());
  ERR_clear_error();
  slot = made;
  if (all.size() >= sweep_at) {
    std::erase_if(all, [](const auto& entry) { return entry.second.expired(); });
    sweep_at = std::max(kFewIssuers, all.size() * 2);
  }
  return made;
}

Configured<CertificatePtr> Certificate::from_pem(std::string_view chain, std::string_view key) {
  return from_text(CertificateText::of(chain, key));
}

Configured<CertificatePtr> Certificate::from_text(CertificateTextPtr text) {
  ERR_clear_error();
  std::shared_ptr<Certificate> made(new Certificate);
  made->text_ = std::move(text);
  const CertificateStatement leaf = read_statement(reader(made->text_->leaf()).get());
  if (!leaf) {
    ERR_clear_error();
    const std::string chain = made->text_->chain();
    const bool is_key = chain.find("PRIVATE KEY-----") != std::string::npos;
    return misconfigured("certFile", is_key ? "this is a private key: are certFile and keyFile interchanged?"
                                            : "no certificate in PEM form" + as_it(chain));
  }
  auto issuers = read_issuers(*made->text_);
  if (!issuers) return std::unexpected(issuers.error());
  made->issuers_ = std::move(*issuers);
  if (!holds_public_key(made->text_->key(), leaf.get())) {
    const KeyPtr key = read_key(made->text_->key());
    if (!key) {
      // "ENCRYPTED PRIVATE KEY", or "Proc-Type: 4,ENCRYPTED" within.
      const bool sealed = made->text_->key().find("ENCRYPTED") != std::string_view::npos;
      const std::string words = openssl_error();
      const std::string why = as_it(made->text_->key());
      return misconfigured(
          "keyFile", sealed ? "the private key is encrypted, and nobody is there to give its pass "
                              "phrase: store it without one (openssl pkey -in KEY -out PLAIN)"
                            : "no usable private key" + (why.empty() ? fmt::format(" ({})", words) : why));
    }
    if (X509_check_private_key(made->leaf().get(), key.get()) != 1) {
      std::string what = mismatch(key.get(), made->issuers_->chain.get());
      ERR_clear_error();
      return misconfigured("keyFile", std::move(what));
    }
  }
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
  const BioPtr key_text(BIO_new(BIO_s_mem()));
  PEM_write_bio_PrivateKey(key_text.get(), key.get(), nullptr, nullptr, 0, nullptr, nullptr);
  char* bytes = nullptr;
  const long size = BIO_get_mem_data(key_text.get(), &bytes);
  std::shared_ptr<Certificate> made(new Certificate);
  made->text_ = CertificateText::of(to_pem(x), {bytes, static_cast<std::size_t>(size)});
  made->issuers_ = read_issuers(*made->text_).value_or(nullptr);
  made->describe(x);
  return made;
}

X509Ptr Certificate::leaf() const {
  return X509Ptr(PEM_read_bio_X509(reader(text_->leaf()).get(), nullptr, no_passphrase, nullptr));
}

// What handshakes take.
struct Certificate::Loaded {
  X509Ptr leaf;
  KeyPtr key;
};

// The objects of the certificates that were used last.
class Certificate::Cache {
 public:
  static Cache& shared() {
    static Cache& cache = *new Cache;  // outlives what static objects hold
    return cache;
  }
  std::shared_ptr<const Loaded> find(const Certificate* of) {
    const std::lock_guard lock(mutex_);
    const auto found = places_.find(of);
    if (found == places_.end()) return nullptr;
    order_.splice(order_.begin(), order_, found->second);
    return found->second->second;
  }
  void put(const Certificate* of, std::shared_ptr<const Loaded> loaded) {
    const std::lock_guard lock(mutex_);
    // Another thread may have been faster; both are the same.
    if (places_.contains(of)) return;
    order_.emplace_front(of, std::move(loaded));
    places_[of] = order_.begin();
    if (order_.size() <= kMostLoaded) return;
    places_.erase(order_.back().first);
    order_.pop_back();
  }
  std::size_t size() {
    const std::lock_guard lock(mutex_);
    return order_.size();
  }
  void forget(const Certificate* of) {
    const std::lock_guard lock(mutex_);
    const auto found = places_.find(of);
    if (found == places_.end()) return;
    order_.erase(found->second);
    places_.erase(found);
  }

 private:
  using Order = std::list<std::pair<const Certificate*, std::shared_ptr<const Loaded>>>;

  std::mutex mutex_;
  Order order_;  // used last first
  std::unordered_map<const Certificate*, Order::iterator> places_;
};

Certificate::~Certificate() { Cache::shared().forget(this); }

std::size_t Certificate::loaded() { return Cache::shared().size(); }

std::shared_ptr<const Certificate::Loaded> Certificate::load() const {
  if (auto known = Cache::shared().find(this)) return known;
  auto made = std::make_shared<Loaded>();
  made->leaf = leaf();
  made->key = read_key(text_->key());
  if (!made->leaf || !made->key || !issuers_) return nullptr;
  Cache::shared().put(this, made);
  return made;
}

bool Certificate::use(SSL* ssl) const {
  const auto loaded = load();
  return loaded && SSL_use_cert_and_key(ssl, loaded->leaf.get(), loaded->key.get(), issuers_->chain.get(),
                                        /*override=*/1) == 1;
}

bool Certificate::use(SSL_CTX* context) const {
  const auto loaded = load();
  return loaded &&
         SSL_CTX_use_cert_and_key(context, loaded->leaf.get(), loaded->key.get(), issuers_->chain.get(),
                                  /*override=*/1) == 1;
}

}  // namespace fairlead::tls
