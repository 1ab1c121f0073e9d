#include "engine/observe/json_text.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <iterator>

namespace fairlead::observe {
namespace {

constexpr bool is_plain(char c) { return c >= 0x20 && c < 0x7f && c != '"' && c != '\\'; }

constexpr std::uint64_t kOnes = 0x0101010101010101;
constexpr std::uint64_t kHigh = 0x8080808080808080;

// The high bit of each byte that is zero; bytes above the first such may be wrong, which only costs a second
// look.
constexpr std::uint64_t zero_bytes(std::uint64_t word) { return (word - kOnes) & ~word & kHigh; }

// Eight bytes at a time: this is half of what a log line costs.
bool is_plain(std::string_view text) {
  while (text.size() >= 8) {
    std::uint64_t word = 0;
    std::memcpy(&word, text.data(), 8);
    const std::uint64_t control = (word - kOnes * 0x20) & ~word & kHigh;
    const std::uint64_t high = (word | (word + kOnes)) & kHigh;  // 0x7f and above
    if (control | high | zero_bytes(word ^ (kOnes * '"')) | zero_bytes(word ^ (kOnes * '\\'))) return false;
    text.remove_prefix(8);
  }
  return std::ranges::all_of(text, [](char c) { return is_plain(c); });
}

// JSON lets DEL and U+0080 to U+009F stand as they are; a terminal may take them for commands (ECMA-48 §5.3).
void append_without_controls(std::string& out, std::string_view json) {
  for (std::size_t i = 0; i < json.size(); ++i) {
    const auto byte = static_cast<unsigned char>(json[i]);
    const bool is_c1 = byte == 0xc2 && static_cast<unsigned char>(json[i + 1]) < 0xa0;
    if (byte == 0x7f || is_c1)
      fmt::format_to(std::back_inserter(out), "\\u{:04x}",
                     is_c1 ? static_cast<unsigned char>(json[++i]) : byte);
    else
      out += json[i];
  }
}

}  // namespace

void append_json_text(std::string& out, std::string_view text) {
  if (is_plain(text)) {
    out += '"';
    out += text;
    out += '"';
    return;
  }
  append_without_controls(
      out, nlohmann::json(text).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace));
}

}  // namespace fairlead::observe
