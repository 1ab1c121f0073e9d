#pragma once

#include "engine/base/result.h"

#include <cstddef>
#include <string_view>

namespace fairlead::codec::h1 {

// What one head may cost. Whoever sends more is refused before more is buffered.
struct Limits {
  std::size_t max_head_bytes = 1048576;  // request line and fields, as Traefik's maxHeaderBytes; more: 431
  std::size_t max_fields = 1000;         // field lines; more: 431
  std::size_t max_target = 65536;        // bytes of the request target alone; more: 414
};

// An origin's head: nobody needs 256 KiB of it, and every upstream connection may hold one. More: 502.
inline constexpr Limits kResponseLimits{.max_head_bytes = 262144};

// Longest method (RFC 9112 §3 bounds it by what is known; the longest registered one has 17 letters). More:
// 501.
inline constexpr std::size_t kMaxMethodBytes = 64;

inline constexpr std::size_t kNoHead = std::string_view::npos;

// Size of the head that `bytes` begins with, its empty line included; npos while that line has not come.
// `scanned` is where the last call stopped: 0 for a new head, and kept by the caller between calls, so that a
// head which drips in is read once. An empty line that ends in a bare LF ends the head as well: the parser
// then refuses it at once instead of waiting for a CRLF that never comes.
std::size_t find_head_end(std::string_view bytes, std::size_t& scanned);

// Bytes to drop before a request line: one empty line is tolerated (RFC 9112 §2.2), a second is not.
// Call it on a buffer that begins a new request; "\r" alone gives 0, so call it again when more has come.
constexpr std::size_t skip_empty_lines(std::string_view bytes) { return bytes.starts_with("\r\n") ? 2 : 0; }

// For a request whose head is not complete yet: whether to read on. Errors: {414} when the request line has
// no end within max_target, {431} when the head has none within max_head_bytes; Fault::Client.
Result<> check_partial_head(std::string_view bytes, const Limits& limits);

}  // namespace fairlead::codec::h1
