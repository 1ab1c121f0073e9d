#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace fairlead {

inline constexpr std::string_view kReplacementCharacter = "\xef\xbf\xbd";  // U+FFFD

// Bytes of the UTF-8 character that `text` begins with (Unicode 15, table 3-7); 0 when there is none.
std::size_t utf8_length(std::string_view text);

// `text` with each byte that is no UTF-8 replaced by U+FFFD, as Go reads it. A view of `text` when nothing is
// to be done, else of `scratch`.
std::string_view as_utf8(std::string_view text, std::string& scratch);

}  // namespace fairlead
