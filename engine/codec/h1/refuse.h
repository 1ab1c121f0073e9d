#pragma once

#include "engine/base/result.h"
#include "engine/base/strings.h"

#include <cstddef>
#include <string_view>

namespace fairlead::codec::h1 {

// "space before the colon at byte 37: "Host "". Position and bytes let a reader find the place in a capture.
// A password in a URL is not shown.
[[gnu::cold, gnu::noinline]] std::unexpected<Error> refuse(int status, Fault fault, std::string_view what,
                                                           std::size_t position, std::string_view bytes);

}  // namespace fairlead::codec::h1
