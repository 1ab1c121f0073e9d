#pragma once

#include <string_view>

namespace fairlead {
class Arena;
}

namespace fairlead::exchange {

class Exchange;

// 32 random hexadecimal digits. Not a secret: it only tells exchanges apart.
std::string_view new_request_id(Arena& arena);

// Whether a value from outside may serve as identifier: 1 to 128 letters, digits or "-._~+/=:".
bool is_request_id(std::string_view text);

// X-Request-Id of the request when it has a usable one, else a new one.
std::string_view request_id(Exchange& x);

}  // namespace fairlead::exchange
