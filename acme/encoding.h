#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace fairlead::acme {

// RFC 4648 §5, without padding, as JOSE wants it (RFC 7515 §2).
std::string base64url(std::string_view bytes);
// Padding is taken too; nothing for any other character.
std::optional<std::string> from_base64url(std::string_view text);

// RFC 4648 §4, padded: what acme.json holds.
std::string base64(std::string_view bytes);
// Line ends are skipped; nothing for any other character.
std::optional<std::string> from_base64(std::string_view text);

std::string sha256(std::string_view bytes);
std::string hmac_sha256(std::string_view key, std::string_view bytes);
std::string hex(std::string_view bytes);

// `count` bytes nobody can guess.
std::string random_bytes(std::size_t count);

}  // namespace fairlead::acme
