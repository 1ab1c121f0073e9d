#pragma once

#include "engine/base/strings.h"

#include <cmath>
#include <cstdint>
#include <string_view>

namespace fairlead::service {

// How much a client, whose address was hashed to `seed`, is drawn to the target of this name. The highest
// score wins: when a target leaves, only its own clients move.
inline double rendezvous_score(std::uint64_t seed, std::string_view name, int weight) {
  const double share = (static_cast<double>(fnv1a(name, seed)) + 0.5) / 18446744073709551616.0;  // in (0, 1)
  return weight / -std::log(share);
}

}  // namespace fairlead::service
