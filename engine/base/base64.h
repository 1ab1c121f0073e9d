#pragma once

#include <span>
#include <string>
#include <string_view>

namespace fairlead {

// The standard alphabet, padded (RFC 4648 §4).
void append_base64(std::string& out, std::string_view bytes);
std::string base64(std::string_view bytes);
std::string base64(std::span<const unsigned char> bytes);

}  // namespace fairlead
