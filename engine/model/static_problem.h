#pragma once

#include "engine/schema/node.h"
#include "engine/schema/problem.h"

#include <string>

namespace fairlead::model {

// Adds what is wrong with one value of the install configuration; its place is that of the deepest part of
// `path` that was written in `root`.
schema::Problem& say(schema::Problems& problems, const schema::Node& root, schema::Severity severity,
                     schema::Path path, std::string what);

}  // namespace fairlead::model
