#pragma once

#include "engine/base/result.h"
#include "engine/tls/pointers.h"
#include "engine/tls/text_table.h"

#include <chrono>
#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace fairlead::tls {

// A certificate chain and its key. Only their texts and what they say are kept; what handshakes need of them
// is made by the first one, and kept for those that are in use: of 50,000 certificates few are.
class Certificate {
 public:
  // Certificates whose objects are kept at once, the ones used last; of about 10 KiB each.
  static constexpr std::size_t kMostLoaded = 4096;
  // How many that are now, of all there are.
  static std::size_t loaded();

  // PEM texts: the chain leaf first, and the key. Refuses what could not be served: no certificate, a key
  // that is not the leaf's.
  static Configured<std::shared_ptr<const Certificate>> from_pem(std::string_view chain,
                                                                 std::string_view key);
  static Configured<std::shared_ptr<const Certificate>> from_text(CertificateTextPtr text);
  // EC P-256, signed by itself, valid for a year. `acme_digest`: a tls-alpn-01 answer (RFC 8737 §3).
  static std::shared_ptr<const Certificate> self_signed(const std::string& common_name,
                                                        const std::vector<std::string>& names,
                                                        std::string_view acme_digest = {});
  ~Certificate();
  Certificate(const Certificate&) = delete;
  Certificate& operator=(const Certificate&) = delete;

  // What it is for: DNS names and addresses, lower case; the common name when there is no other.
  const std::vector<std::string>& names() const { return names_; }
  bool is_ecdsa() const { return ecdsa_; }
  std::chrono::system_clock::time_point not_before() const { return not_before_; }
  std::chrono::system_clock::time_point not_after() const { return not_after_; }
  const std::string& issuer() const { return issuer_; }
  // SHA-256 of the leaf, hexadecimal.
  const std::string& fingerprint() const { return fingerprint_; }
  // Read anew.
  X509Ptr leaf() const;

  // Puts it into a connection, beside those of other key types. False with the reason in OpenSSL's queue.
  bool use(SSL* ssl) const;
  bool use(SSL_CTX* context) const;

 private:
  struct Issuers;
  struct Loaded;
  class Cache;
  Certificate() = default;
  static Configured<std::shared_ptr<const Issuers>> read_issuers(const CertificateText& text);
  void describe(X509* leaf);
  std::shared_ptr<const Loaded> load() const;

  CertificateTextPtr text_;
  std::shared_ptr<const Issuers> issuers_;  // one object for all certificates that have the same
  std::vector<std::string> names_;
  std::string issuer_;
  std::string fingerprint_;
  std::chrono::system_clock::time_point not_before_;
  std::chrono::system_clock::time_point not_after_;
  bool ecdsa_ = false;
};

using CertificatePtr = std::shared_ptr<const Certificate>;

}  // namespace fairlead::tls
