#pragma once

#include <string_view>

namespace fairlead::codec::h2 {

// What nghttp2 says of a peer that broke the protocol, fit for a log. It quotes a field that it refuses, and
// the value may be a credential with a space too much at its end: only pseudo-header fields keep theirs.
std::string_view without_field_value(std::string_view message);

}  // namespace fairlead::codec::h2
