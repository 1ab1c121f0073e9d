#pragma once

#include "engine/model/reason.h"
#include "engine/upstream/server_state.h"

#include <vector>

namespace fairlead::runtime {

// What a provider says of a server, as balancers see it. A container that is paused or unhealthy has not
// left: it may come back under the same address, so nobody waits for a successor.
upstream::Phase phase_of(model::ServerState state, const std::vector<model::Reason>& reasons);

}  // namespace fairlead::runtime
