#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace fairlead::providers {

// Takes a Go string literal from the front of `rest`: "…" with escapes or `…` verbatim. Without one there,
// or when it does not end, nothing is taken.
std::optional<std::string> take_go_string(std::string_view& rest);

// Appends one code point as UTF-8; what is no scalar value becomes U+FFFD.
void append_utf8(std::string& out, char32_t code_point);

}  // namespace fairlead::providers
