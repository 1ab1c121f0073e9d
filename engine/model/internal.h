#pragma once

#include "engine/model/dynamic.h"

#include <string_view>

namespace fairlead::model {

struct Static;

inline constexpr std::string_view kInternalProvider = "internal";

// The configuration of the provider `internal`: routers for ping, metrics, API, dashboard, ACME challenges
// and for the redirections of entry points, as the install configuration asks for them. Its services (api,
// dashboard, ping, prometheus, rest, acme-http, noop) have no kind: the program itself answers.
Dynamic internal_config(const Static& install);

}  // namespace fairlead::model
