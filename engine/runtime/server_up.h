#pragma once

#include "engine/runtime/snapshot.h"

#include <optional>
#include <string_view>

namespace fairlead::runtime {

// What checks found about a server, for the API: false when it is out; nothing when the provider's word
// counts.
std::optional<bool> server_up(const Snapshot& snapshot, std::string_view service, std::string_view url);

}  // namespace fairlead::runtime
