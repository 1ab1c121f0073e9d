#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace fairlead::middleware {

// The type of a Content-Type (RFC 9110 §8.3.1), in lower case and without its parameters: "text/html".
// Nothing when it is not well-formed, parameters included, or a parameter has two values.
std::optional<std::string> media_type(std::string_view content_type);

}  // namespace fairlead::middleware
