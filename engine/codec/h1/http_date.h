#pragma once

#include "engine/event/loop.h"

#include <string_view>

namespace fairlead::codec::h1 {

// "Sun, 06 Nov 1994 08:49:37 GMT" (RFC 9110 §5.6.7), made once a second per worker. Valid until the next
// call.
std::string_view http_date(event::Loop& loop);

}  // namespace fairlead::codec::h1
