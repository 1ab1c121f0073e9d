#pragma once

#include "engine/http/fields.h"

namespace fairlead::service {

// Drops what belongs to one hop only, in both directions (RFC 9110 §7.6.1): Connection and what it names,
// Keep-Alive, Proxy-*, Te (but "trailers"), Trailer, Transfer-Encoding, Upgrade. Content-Length and
// Transfer-Encoding are written anew from the framing. Harmless when done twice.
void remove_hop_by_hop(http::Fields& fields);

}  // namespace fairlead::service
