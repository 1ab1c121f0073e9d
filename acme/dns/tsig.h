#pragma once

#include "engine/base/result.h"

#include <cstdint>
#include <string>
#include <string_view>

namespace fairlead::acme::dns {

// A key shared with a name server (RFC 8945).
struct TsigKey {
  std::string name;
  std::string algorithm;  // "hmac-sha256", without the dot at the end
  std::string secret;     // as bytes
};

// `algorithm`: "hmac-sha256", "hmac-md5.sig-alg.reg.int", with or without the dot; `secret`: base64.
// The error says which of the three is wrong.
std::expected<TsigKey, std::string> make_tsig_key(const std::string& name, const std::string& algorithm,
                                                  const std::string& secret);
// The key that tsig-keygen wrote: `key "name" { algorithm hmac-sha256; secret "…"; };`.
std::expected<TsigKey, std::string> read_tsig_key(std::string_view text);

// Appends the TSIG record to a message; `now`: s since 1970. Returns the MAC, which the answer is checked
// with.
std::string sign(std::string& message, const TsigKey& key, std::uint64_t now);

// Whether the answer to a signed message comes from who holds the key. The error says why not, also what the
// server found wrong with our own signature.
Result<> verify(std::string_view answer, const TsigKey& key, std::string_view request_mac, std::uint64_t now);

}  // namespace fairlead::acme::dns
