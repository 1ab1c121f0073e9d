#include "engine/base/utf8.h"

#include <algorithm>

namespace fairlead {

std::size_t utf8_length(std::string_view text) {
  const auto byte = [text](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const auto follows = [&](std::size_t i, unsigned low = 0x80, unsigned high = 0xbf) {
    return i < text.size() && byte(i) >= low && byte(i) <= high;
  };
  if (text.empty()) return 0;
  const unsigned first = byte(0);
  if (first < 0x80) return 1;
  if (first >= 0xc2 && first <= 0xdf) return follows(1) ? 2 : 0;
  if (first >= 0xe0 && first <= 0xef) {
    const bool second = first == 0xe0   ? follows(1, 0xa0)
                        : first == 0xed ? follows(1, 0x80, 0x9f)
                                        : follows(1);
    return second && follows(2) ? 3 : 0;
  }
  if (first >= 0xf0 && first <= 0xf4) {
    const bool second = first == 0xf0   ? follows(1, 0x90)
                        : first == 0xf4 ? follows(1, 0x80, 0x8f)
                                        : follows(1);
    return second && follows(2) && follows(3) ? 4 : 0;
  }
  return 0;
}

std::string_view as_utf8(std::string_view text, std::string& scratch) {
  if (std::ranges::all_of(text, [](char c) { return static_cast<signed char>(c) >= 0; })) return text;
  std::size_t good = 0;
  while (good < text.size()) {
    const std::size_t length = utf8_length(text.substr(good));
    if (length == 0) break;
    good += length;
  }
  if (good == text.size()) return text;
  scratch = text.substr(0, good);
  for (std::size_t at = good; at < text.size();) {
    const std::size_t length = utf8_length(text.substr(at));
    scratch += length == 0 ? kReplacementCharacter : text.substr(at, length);
    at += std::max<std::size_t>(length, 1);
  }
  return scratch;
}

}  // namespace fairlead
