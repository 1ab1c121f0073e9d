#pragma once

#include "engine/model/api_json.h"
#include "engine/runtime/snapshot.h"

#include <optional>
#include <string_view>

namespace fairlead::runtime {

// What checks found about a server, for the API: false when it is out; nothing when the provider's word
// counts.
std::optional<bool> server_up(const Snapshot& snapshot, std::string_view service, std::string_view url);
// Why it is out, and since when; nothing for one that is well.
std::optional<model::ServerIllness> server_illness(const Snapshot& snapshot, std::string_view service,
                                                   std::string_view url);

}  // namespace fairlead::runtime
