#pragma once

#include "engine/base/clock.h"
#include "engine/base/result.h"

#include <string>
#include <string_view>
#include <vector>

namespace fairlead::acme {

// What matters about an issued certificate, read from its PEM chain.
struct Chain {
  std::vector<std::string> names;  // DNS names and addresses of the leaf, lower case
  WallTime not_before;
  WallTime not_after;
  std::string issuer;       // "O=…, CN=…" of the leaf's issuer, in one line
  std::string top_issuer;   // common name of the last certificate's issuer: what preferredChain means
  std::string serial;       // hexadecimal
  std::string fingerprint;  // SHA-256 of the leaf, hexadecimal
  // RFC 9773 §4.1: base64url(authority key identifier) "." base64url(serial); empty without the extension.
  std::string renewal_id;
};

// At least one certificate, at most 32; every PEM block must be whole.
Configured<Chain> read_chain(std::string_view pem);
// Whether the key is the leaf's.
bool belongs(std::string_view chain_pem, std::string_view key_pem);

// Whether a certificate for `of` serves `name`: itself, or a wildcard of its first label.
bool covers(std::string_view of, std::string_view name);
bool covers(const std::vector<std::string>& names, std::string_view name);

}  // namespace fairlead::acme
