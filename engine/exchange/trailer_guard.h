#pragma once

#include "engine/exchange/exchange.h"

#include <functional>
#include <string_view>

// Rules about header names hold for trailers too, which servers may merge into the header (CVE-2026-88004).
namespace fairlead::exchange {

// Takes trailer fields out of the request's body: those whose name a middleware answers for, as who the user
// is comes from the middleware alone, and those that do not travel on. `decides` is called with names as they
// came, until the exchange ends.
void guard_trailers(Exchange& x, std::function<bool(std::string_view name)> decides);

// The same for one name, in every folded spelling. `name` lives as long as the exchange.
void guard_trailers(Exchange& x, std::string_view name);

// Ends the body with what `check` says against a trailer field instead of handing it out as complete.
void check_trailers(Exchange& x, std::function<Result<>(std::string_view name)> check);

}  // namespace fairlead::exchange
