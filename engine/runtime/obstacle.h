#pragma once

#include "engine/model/reason.h"
#include "engine/upstream/server_state.h"

namespace fairlead::runtime {

// Why a server of a provider is not used, in the words of its reasons.
upstream::Obstacle obstacle_of(const model::Standing& standing);

}  // namespace fairlead::runtime
