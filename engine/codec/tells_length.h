#pragma once

#include <string_view>

namespace fairlead::codec {

// Whether a request says its length even where it has no content (RFC 9110 §8.6). Not every client does, and
// there are servers that answer 411.
constexpr bool tells_length(std::string_view method) {
  return method == "POST" || method == "PUT" || method == "PATCH";
}

}  // namespace fairlead::codec
