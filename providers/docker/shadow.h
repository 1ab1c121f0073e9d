#pragma once

#include "engine/base/clock.h"
#include "engine/model/dynamic.h"

#include <map>
#include <string>

namespace fairlead::providers::docker {

// Flags Shadowed every HTTP and TCP router whose requests another one with the same rule and priority takes.
// `created` holds the age of the container behind each router, by "http.<router>" or "tcp.<router>".
void mark_shadowed(model::Dynamic& dynamic, const std::map<std::string, WallTime>& created);

}  // namespace fairlead::providers::docker
