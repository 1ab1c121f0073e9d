#pragma once

#include "engine/admin/api.h"

#include <string_view>

namespace fairlead::admin {

// Below /debug, with api.debug: /debug/vars tells about the process in the manner of Go's expvar. There are
// no profiles to be had under /debug/pprof: it says how to take one. Reads /proc: for a thread of Offload.
ApiAnswer answer_debug(std::string_view path, const Sources& sources);

}  // namespace fairlead::admin
