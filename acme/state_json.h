#pragma once

#include "acme/state.h"
#include "engine/base/result.h"

#include <functional>
#include <iosfwd>
#include <string>
#include <string_view>

namespace fairlead::acme {

// acme.json in Traefik's format. What Traefik has no member for stands in a member `Fairlead` of the
// resolver's object, which Traefik ignores. White space alone is an empty file: `touch acme.json` is how
// people begin.
Configured<State> read_state(std::string_view json);
// The same from a stream: what is read piece by piece is never in memory as a whole.
Configured<State> read_state(std::istream& json);

// A certificate to a line. The pieces of it go to `sink`.
void print_state(const State& state, const std::function<void(std::string_view)>& sink);
std::string print_state(const State& state);

}  // namespace fairlead::acme
