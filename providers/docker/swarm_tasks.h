#pragma once

#include "providers/docker/container.h"

#include <expected>
#include <string>
#include <string_view>
#include <vector>

namespace fairlead::providers::docker {

// The answers of a Swarm manager, as text.
struct SwarmAnswers {
  std::string services;  // GET /services
  std::string tasks;     // GET /tasks?filters={"desired-state":{"running":true}}
  std::string networks;  // GET /networks?filters={"scope":{"swarm":true}}
  std::string nodes;     // GET /nodes; may be empty: then tasks in host mode have no address
};

struct SwarmTasks {
  std::vector<Container> containers;  // one per running task, or per service that balances by itself
  std::vector<std::string> complaints;
};

// Running tasks as containers that carry their service's labels: "service.slot", for global services
// "service.task". With traefik.swarm.lbswarm, one container per service at its virtual addresses.
std::expected<SwarmTasks, std::string> parse_swarm(const SwarmAnswers& answers);

}  // namespace fairlead::providers::docker
