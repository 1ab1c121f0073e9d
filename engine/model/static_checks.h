#pragma once

#include "engine/model/static.h"
#include "engine/schema/node.h"
#include "engine/schema/problem.h"

namespace fairlead::model {

// What of the install configuration does not fit together: addresses that do not parse or collide, names that
// are not there, options that exclude each other. `root` is the tree it was read from, for what only its
// presence tells.
void check_static(const Static& install, const schema::Node& root, schema::Problems& problems);

// An option that Traefik 2 had and 3 refuses: says what took its place.
void explain_removed(schema::Problem& problem);

}  // namespace fairlead::model
