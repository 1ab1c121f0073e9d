#pragma once

#include "engine/exchange/exchange.h"

#include <functional>
#include <string_view>

namespace fairlead::middleware {

// Takes trailer fields out of the request's body whose name a middleware answers for: who the user is comes
// from the middleware alone, also for servers that merge trailers into the header (CVE-2026-88004). `decides`
// is called with names as they came, until the exchange ends.
void guard_trailers(exchange::Exchange& x, std::function<bool(std::string_view name)> decides);

// The same for one name, in every folded spelling. `name` lives as long as the exchange.
void guard_trailers(exchange::Exchange& x, std::string_view name);

}  // namespace fairlead::middleware
