#pragma once

#include "acme/openssl.h"
#include "engine/base/result.h"

#include <memory>
#include <string>
#include <string_view>

namespace fairlead::acme {

// A private key: of an account (JOSE, RFC 7515 and 7518) or of a certificate.
class Key {
 public:
  // "EC256", "EC384", "RSA2048", "RSA4096" or "RSA8192"; null for anything else.
  static std::shared_ptr<const Key> generate(std::string_view type);
  // PKCS#1, SEC 1 or PKCS#8.
  static Configured<std::shared_ptr<const Key>> from_der(std::string_view der);

  // PKCS#1 of an RSA key, SEC 1 of an EC key: Traefik reads accounts so.
  std::string der() const;
  std::string pem() const;
  EVP_PKEY* get() const { return key_.get(); }

  // "RS256", "ES256" or "ES384".
  const std::string& algorithm() const { return algorithm_; }
  // The public half (RFC 7517) with its members in the order that RFC 7638 hashes.
  const std::string& jwk() const { return jwk_; }
  // base64url of the SHA-256 of jwk().
  const std::string& thumbprint() const { return thumbprint_; }
  // In JOSE's form: of an EC key r and s, each at full length (RFC 7518 §3.4). Empty on failure.
  std::string sign(std::string_view bytes) const;

 private:
  explicit Key(KeyPtr key) : key_(std::move(key)) {}
  bool describe();

  KeyPtr key_;
  std::string algorithm_;
  std::string jwk_;
  std::string thumbprint_;
  std::size_t field_bytes_ = 0;  // of an EC key
};

using SharedKey = std::shared_ptr<const Key>;

// What keyType asks for, or the usual type where there is none of that name.
std::string usable_key_type(const std::string& wanted);

}  // namespace fairlead::acme
