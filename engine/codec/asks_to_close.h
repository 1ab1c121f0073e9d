#pragma once

#include "engine/http/head.h"

#include <algorithm>

namespace fairlead::codec {

// Whether a middleware wants the client's connection closed by "Connection: close"; what a server says of its
// own connection was taken out on the way.
inline bool asks_to_close(const http::ResponseHead& head) {
  return std::ranges::any_of(head.fields, [](const http::Field& line) {
    return line.known == http::Name::Connection && http::has_token(line.value, "close");
  });
}

}  // namespace fairlead::codec
