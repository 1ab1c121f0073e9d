#pragma once

#include "engine/model/dynamic.h"

namespace fairlead::model {

struct Static;

// Checks a merged configuration as a whole and attaches what it finds to the elements: references to what is
// not there, cycles, kinds that exclude each other, values out of range, options that this version does not
// act upon (not_yet.h). An element that needs a broken one is broken too, with the reason of the first. Names
// are expected qualified. Runs in time linear in the number of elements.
void validate(Dynamic& dynamic, const Static& install);

}  // namespace fairlead::model
