#pragma once

#include "acme/state.h"
#include "engine/base/result.h"

#include <string>
#include <string_view>

namespace fairlead::acme {

// acme.json in Traefik's format. What Traefik has no member for stands in a member `Fairlead` of the
// resolver's object, which Traefik ignores. White space alone is an empty file: `touch acme.json` is how
// people begin.
Configured<State> read_state(std::string_view json);
// Indented, as Traefik writes it.
std::string print_state(const State& state);

}  // namespace fairlead::acme
