#pragma once

#include "engine/base/arena.h"

#include <string>
#include <string_view>

namespace fairlead::codec::h2 {

// HTTP/2 has no Sec-WebSocket-Key (RFC 8441 §5): toward a server that speaks HTTP/1.1 we make our own, and
// check its answer to it (RFC 6455 §4.2.2).
std::string_view new_websocket_key(Arena& arena);
std::string websocket_accept(std::string_view key);

}  // namespace fairlead::codec::h2
