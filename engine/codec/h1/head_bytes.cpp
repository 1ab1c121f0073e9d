#include "engine/codec/h1/head_bytes.h"

#include "engine/codec/h1/refuse.h"
#include "engine/codec/h1/scan.h"
#include "engine/http/user_info.h"

#include <fmt/format.h>

#include <algorithm>

namespace fairlead::codec::h1 {
namespace {

// The end of the head whose last line feed but one stands at `feed`; npos when that line is not the last.
std::size_t end_after(std::string_view bytes, std::size_t feed) {
  if (feed + 1 < bytes.size() && bytes[feed + 1] == '\n') return feed + 2;
  if (feed + 2 < bytes.size() && bytes[feed + 1] == '\r' && bytes[feed + 2] == '\n') return feed + 3;
  return kNoHead;
}

}  // namespace

std::size_t find_head_end(std::string_view bytes, std::size_t& scanned) {
  std::size_t at = scanned;
#if defined(__SSE2__)
  // A line feed that is followed by another, or by CR and another: true at most once, so nothing to
  // mispredict at the ordinary lines.
  const __m128i feed = _mm_set1_epi8('\n');
  const __m128i ret = _mm_set1_epi8('\r');
  for (; at + 18 <= bytes.size(); at += 16) {
    const char* from = bytes.data() + at;
    const __m128i second = load16(from + 1);
    const __m128i third = _mm_and_si128(_mm_cmpeq_epi8(second, ret), _mm_cmpeq_epi8(load16(from + 2), feed));
    const __m128i empty_line = _mm_or_si128(_mm_cmpeq_epi8(second, feed), third);
    const int hits = _mm_movemask_epi8(_mm_and_si128(_mm_cmpeq_epi8(load16(from), feed), empty_line));
    if (hits == 0) continue;
    scanned = at + static_cast<std::size_t>(std::countr_zero(static_cast<unsigned>(hits)));
    return end_after(bytes, scanned);
  }
#endif
  for (; at < bytes.size(); ++at) {
    if (bytes[at] != '\n') continue;
    const std::size_t end = end_after(bytes, at);
    if (end == kNoHead) continue;
    scanned = at;
    return end;
  }
  // A line feed among the last two bytes may still turn out to be the one before the empty line.
  scanned = bytes.size() < 2 ? 0 : std::max(scanned, bytes.size() - 2);
  return kNoHead;
}

Result<> check_partial_head(std::string_view bytes, const Limits& limits) {
  // Method, two spaces and the version come on top of the target.
  const std::size_t max_line = limits.max_target + kMaxMethodBytes + sizeof(" HTTP/1.1\r\n");
  if (bytes.size() > max_line && bytes.substr(0, max_line).find('\n') == std::string_view::npos)
    return fail(414, Fault::Client,
                fmt::format("request line longer than {} bytes: {}", max_line,
                            quoted(http::without_user_info(bytes), 64)));
  // Whoever speaks another protocol waits for an answer that only a whole head would bring.
  const std::size_t feed = bytes.find('\n');
  if (feed != std::string_view::npos && feed > 1 && !bytes.substr(0, feed).contains(" HTTP/"))
    return fail(400, Fault::Client,
                fmt::format("malformed request line: {}",
                            quoted(http::without_user_info(bytes.substr(0, feed)), 64)));
  if (bytes.size() > limits.max_head_bytes)
    return fail(431, Fault::Client, fmt::format("request head longer than {} bytes", limits.max_head_bytes));
  return {};
}

}  // namespace fairlead::codec::h1
