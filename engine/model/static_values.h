#pragma once

#include "engine/model/static.h"
#include "engine/schema/node.h"
#include "engine/schema/problem.h"

namespace fairlead::model {

// Values that make no sense, but that Traefik starts with: each is replaced by what it comes to there, or
// left out, and said. `root` is the tree that `install` was read from.
void settle_values(Static& install, const schema::Node& root, schema::Problems& problems);

}  // namespace fairlead::model
