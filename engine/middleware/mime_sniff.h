#pragma once

#include <cstddef>
#include <string_view>

namespace fairlead::middleware {

// Bytes that can decide (mimesniff.spec.whatwg.org §5.2, "resource header").
inline constexpr std::size_t kSniffBytes = 512;

// What Go's http.DetectContentType answers for the beginning of a body; "application/octet-stream" for what
// is neither text nor known.
std::string_view sniff_content_type(std::string_view bytes);

}  // namespace fairlead::middleware
