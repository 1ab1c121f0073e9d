#pragma once

#include "engine/runtime/compile.h"

namespace fairlead::runtime {

// A rollout may give the service of a router another name. Whoever asks before the new one is ready waits for
// it like for a successor of the same name, and whoever waits at a service that left goes on with the one
// that its router names now. `out` is compiled and not served yet; a request waits `longest` at most.
void follow_departures(Compiler& compiler, const Snapshot& previous, const model::Dynamic& dynamic,
                       Duration longest, Snapshot& out);

}  // namespace fairlead::runtime
