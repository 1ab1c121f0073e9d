#include "engine/service/picker.h"

namespace fairlead::service {

int RoundRobin::pick(const upstream::ServerSet& set, exchange::Exchange&, const Tried& tried) const {
  const std::size_t slots = set.schedule.size();
  if (slots == 0) return kNoServer;
  const std::uint64_t start = set.state->position.fetch_add(1, std::memory_order_relaxed);
  // A server that is down lets its turn pass; the next in the schedule takes it.
  for (std::size_t step = 0; step < slots; ++step) {
    const std::uint16_t index = set.schedule[(start + step) % slots];
    const upstream::Server& server = set.servers[index];
    if (server.state->usable() && !was_tried(tried, server)) return index;
  }
  return kNoServer;
}

}  // namespace fairlead::service
