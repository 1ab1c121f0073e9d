#include "engine/runtime/server_up.h"

namespace fairlead::runtime {

std::optional<bool> server_up(const Snapshot& snapshot, std::string_view service, std::string_view url) {
  const auto set = snapshot.sets.find(service);
  if (set == snapshot.sets.end()) return std::nullopt;
  for (const upstream::Server& server : set->second->servers)
    if (server.address.url == url && !server.state->health.good()) return false;
  return std::nullopt;
}

}  // namespace fairlead::runtime
