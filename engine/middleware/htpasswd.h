#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace fairlead::middleware {

// What is wrong with a hash from an htpasswd entry, in words a person can act on; nothing when it can be
// verified. Known: apr1 ($apr1$) and crypt MD5 ($1$), SHA-1 ({SHA}), bcrypt ($2a$, $2b$, $2y$), SHA-256 ($5$)
// and SHA-512 crypt ($6$). Clear text and DES are none.
std::optional<std::string> complaint_about_hash(std::string_view hash);

// Whether the password belongs to the hash, which complaint_about_hash() has passed. Takes milliseconds to
// seconds by design: for the lane of hashes only. The comparison takes the same time wherever they differ.
bool verify_password(const std::string& hash, const std::string& password);

// The apr1 variant of MD5 crypt, with `salt` of up to 8 bytes: "$apr1$salt$…".
std::string hash_apr1(std::string_view password, std::string_view salt);

}  // namespace fairlead::middleware
