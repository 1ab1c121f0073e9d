#pragma once

#include "engine/model/reason.h"
#include "engine/schema/node.h"
#include "engine/schema/option.h"

#include <optional>
#include <string>
#include <vector>

namespace fairlead::providers::docker {

// `traefik.docker.*` (Swarm: `traefik.swarm.*`).
struct PlacementLabels {
  std::string network;
  bool allow_non_running = false;
  bool lb_swarm = false;
};

// The labels that are the provider's own.
struct OwnLabels {
  std::optional<bool> enable;  // traefik.enable; unset when absent
  bool enable_is_bad = false;  // no boolean: not exposed
  PlacementLabels placement;
  std::vector<model::Reason> warnings;
};

// `root` is what schema::read_labels made of a container's or service's labels. With `swarm`,
// `traefik.swarm.*` counts as well and goes before `traefik.docker.*`.
OwnLabels read_own_labels(const schema::Node& root, bool swarm);

}  // namespace fairlead::providers::docker

template <>
inline constexpr auto fairlead::schema::options<fairlead::providers::docker::PlacementLabels> =
    table(option<&providers::docker::PlacementLabels::network>("network", "Network whose address is used."),
          option<&providers::docker::PlacementLabels::allow_non_running>(
              "allowNonRunning", "Keep the routes of stopped containers."),
          option<&providers::docker::PlacementLabels::lb_swarm>(
              "lbSwarm", "Send to the service's virtual address (Swarm)."));
static_assert(fairlead::schema::complete<fairlead::providers::docker::PlacementLabels>());
