#pragma once

#include "engine/model/dynamic.h"
#include "providers/docker/build.h"
#include "providers/docker/state.h"

#include <map>
#include <span>
#include <string>
#include <string_view>

namespace fairlead::providers::docker {

// One container as it takes part in the configuration.
struct Part {
  const Tracked* tracked;
  const Built* built;
  std::string owner;  // of tracked->container
};

// Who holds which name ("http.routers.web" → owner), kept from one merge to the next: a name stays with its
// owner while any container of that owner is known.
using Holders = std::map<std::string, std::string, std::less<>>;

// Joins all containers into one configuration:
// - replicas of one owner share their names; the newest ready one's definition counts;
// - of different owners that define one name, the holder keeps it, at first the one with the older container;
//   equal definitions join their servers (on two engines: only of equal Compose project and service), others
//   are flagged Conflict, and what their containers built on their own element of that name is broken;
// - of routers with equal rule and priority, the one with a ready server comes first, then the older owner;
//   the others are flagged Shadowed.
// The result does not depend on the order of `parts`. `provider`: what may stand behind an `@`.
model::Dynamic merge(std::span<const Part> parts, std::string_view provider, Holders& holders);

}  // namespace fairlead::providers::docker
