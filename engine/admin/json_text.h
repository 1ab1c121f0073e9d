#pragma once

#include "engine/base/clock.h"

#include <nlohmann/json_fwd.hpp>

#include <string>

namespace fairlead::admin {

// Compact; what is no UTF-8 is replaced, as names and labels may hold anything.
std::string dump(const nlohmann::ordered_json& json);
// RFC 3339 in UTC, to the second.
std::string time_text(WallTime time);

}  // namespace fairlead::admin
