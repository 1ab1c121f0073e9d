#pragma once

#include "engine/base/result.h"
#include "engine/tls/pointers.h"

#include <chrono>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

namespace fairlead::tls {

// A certificate chain and its key. Only their bytes are kept until the first handshake that needs them: of
// 50,000 certificates few are in use.
class Certificate {
 public:
  // PEM texts: the chain leaf first, and the key. Refuses what could not be served: no certificate, a key
  // that is not the leaf's.
  static Configured<std::shared_ptr<const Certificate>> from_pem(std::string_view chain,
                                                                 std::string_view key);
  // EC P-256, signed by itself, valid for a year. `acme_digest`: a tls-alpn-01 answer (RFC 8737 §3).
  static std::shared_ptr<const Certificate> self_signed(const std::string& common_name,
                                                        const std::vector<std::string>& names,
                                                        std::string_view acme_digest = {});

  // What it is for: DNS names and addresses, lower case; the common name when there is no other.
  const std::vector<std::string>& names() const { return names_; }
  bool is_ecdsa() const { return ecdsa_; }
  std::chrono::system_clock::time_point not_before() const { return not_before_; }
  std::chrono::system_clock::time_point not_after() const { return not_after_; }
  const std::string& issuer() const { return issuer_; }
  const std::string& serial() const { return serial_; }
  // SHA-256 of the leaf, hexadecimal.
  const std::string& fingerprint() const { return fingerprint_; }
  const std::string& leaf_der() const { return chain_der_.front(); }

  // Puts it into a connection, beside those of other key types. False with the reason in OpenSSL's queue.
  bool use(SSL* ssl) const;
  bool use(SSL_CTX* context) const;

 private:
  struct Loaded {
    X509Ptr leaf;
    ChainPtr chain;
    KeyPtr key;
  };
  Certificate() = default;
  void describe(X509* leaf);
  const Loaded* load() const;

  std::vector<std::string> chain_der_;
  std::string key_der_;
  std::vector<std::string> names_;
  std::string issuer_;
  std::string serial_;
  std::string fingerprint_;
  std::chrono::system_clock::time_point not_before_;
  std::chrono::system_clock::time_point not_after_;
  bool ecdsa_ = false;
  mutable std::once_flag once_;
  mutable std::unique_ptr<const Loaded> loaded_;
};

using CertificatePtr = std::shared_ptr<const Certificate>;

}  // namespace fairlead::tls
