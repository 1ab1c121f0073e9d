#pragma once

#include "engine/model/dynamic.h"

#include <map>
#include <string>

namespace fairlead::model {

// Makes what parentRefs say a tree below the routers that have none: a link back to a router further up is
// taken out, with a warning; a router that nothing leads to any more is broken.
void settle_parents(std::map<std::string, Element<HttpRouter>>& routers);

}  // namespace fairlead::model
