#pragma once

#include <string>
#include <string_view>

namespace fairlead::observe {

// Appends `text` as a JSON string with its quotes. Bytes that are no UTF-8 become replacement characters.
// Text without anything to escape, nearly all of what is logged, is copied; the rest is the library's
// business.
void append_json_text(std::string& out, std::string_view text);

}  // namespace fairlead::observe
