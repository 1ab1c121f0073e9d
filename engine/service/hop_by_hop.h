#pragma once

#include "engine/http/fields.h"

namespace fairlead::service {

// Drops what belongs to one hop only, in both directions (RFC 9110 §7.6.1): Connection and what it names,
// Keep-Alive, Proxy-*, Te (but "trailers"), Transfer-Encoding, Upgrade, and Trailer unless `trailers` may
// follow, which pass too. Content-Length and Transfer-Encoding are written anew from the framing. Harmless
// when done twice.
void remove_hop_by_hop(http::Fields& fields, bool trailers = false);

}  // namespace fairlead::service
