#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "engine/exchange/exchange.h"
#include "engine/upstream/server_state.h"

namespace fairlead::service {

// Servers that an exchange has tried already, by position in the set it last saw. Small: most requests try one.
using Tried = std::vector<const upstream::ServerState*>;

inline bool was_tried(const Tried& tried, const upstream::Server& server) {
  for (const auto* state : tried)
    if (state == server.state.get()) return true;
  return false;
}

inline constexpr int kNoServer = -1;

// Chooses a usable server of a set. Immutable; positions and samples live in the shared states.
class Picker {
 public:
  virtual ~Picker() = default;
  // Index into set.servers, or kNoServer when no usable one is left that was not tried.
  virtual int pick(const upstream::ServerSet& set, exchange::Exchange& x, const Tried& tried) const = 0;
};

// Weighted round robin over the compiled schedule: one shared position, so that all workers together alternate.
class RoundRobin final : public Picker {
 public:
  int pick(const upstream::ServerSet& set, exchange::Exchange& x, const Tried& tried) const override;
};

}  // namespace fairlead::service
