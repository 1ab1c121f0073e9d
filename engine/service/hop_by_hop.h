#pragma once

#include "engine/http/fields.h"

#include <string_view>
#include <vector>

namespace fairlead::service {

// What Connection names beside its options: fields of this hop only, in the head and among the trailers
// (RFC 9110 §7.6.1). Sorted for is_named(); views into the values.
std::vector<std::string_view> named_in_connection(const http::Fields& fields);
bool is_named(const std::vector<std::string_view>& named, std::string_view name);

// Drops what belongs to one hop only, in both directions (RFC 9110 §7.6.1): Connection and what it names,
// Keep-Alive, Proxy-*, Te (but "trailers"), Transfer-Encoding, Upgrade, and Trailer unless `trailers` may
// follow, which pass too. Content-Length and Transfer-Encoding are written anew from the framing. Harmless
// when done twice.
void remove_hop_by_hop(http::Fields& fields, bool trailers = false);

}  // namespace fairlead::service
