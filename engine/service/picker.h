#pragma once

#include "engine/exchange/exchange.h"
#include "engine/upstream/server_state.h"

#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

namespace fairlead::service {

// Servers that an exchange has tried already. Small: most requests try one.
using Tried = std::vector<const upstream::ServerState*>;

inline bool can_take(const upstream::Server& server, const Tried& tried) {
  if (!server.state->usable()) return false;
  for (const auto* state : tried)
    if (state == server.state.get()) return false;
  return true;
}

inline constexpr int kNoServer = -1;

// Chooses a usable server of a set. Immutable; positions and samples live in the shared states.
class Picker {
 public:
  virtual ~Picker() = default;
  // Index into set.servers, or kNoServer when no usable one is left that was not tried.
  virtual int pick(const upstream::ServerSet& set, exchange::Exchange& x, const Tried& tried) const = 0;
};

// `strategy` as configured: wrr, p2c, hrw, leasttime; null for an unknown one.
std::unique_ptr<const Picker> make_picker(std::string_view strategy);

}  // namespace fairlead::service
