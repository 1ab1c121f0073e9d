#pragma once

#include "engine/base/result.h"
#include "engine/base/task.h"
#include "engine/event/loop.h"
#include "engine/net/transport.h"

#include <cstdint>
#include <string_view>

namespace fairlead::tcp {

// PostgreSQL's way to TLS (protocol documentation, "SSL Session Encryption"): the client asks in the clear,
// the server agrees by one byte, then the ClientHello follows.
inline constexpr std::string_view kSslRequest{"\x00\x00\x00\x08\x04\xd2\x16\x2f", 8};
inline constexpr std::string_view kSslAgreed = "S";

enum class Prelude : std::uint8_t { NeedMore, Absent, SslRequest };

// Whether a connection begins with the request; `bytes` may be cut anywhere, but has at least one byte.
Prelude prelude_of(std::string_view bytes);

// Asks a server for TLS in the same way, for a ClientHello that is passed through. Errors: {502, Upstream}
// when it refuses or ends, {504, Upstream} when it does not answer in time.
Task<Result<>> ask_for_tls(event::Loop& loop, net::Transport& server, Duration timeout);

}  // namespace fairlead::tcp
