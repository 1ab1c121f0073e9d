#pragma once

#include "providers/docker/catalog.h"

#include <vector>

namespace fairlead::providers::docker {

// Of several ports, the lowest that answers HTTP; one that answers 400 when there is no other. True when no
// further answer can change that.
bool consider(Tracked& tracked, const std::vector<ProbeResult>& results);

}  // namespace fairlead::providers::docker
