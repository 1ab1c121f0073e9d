#pragma once

#include "engine/model/reason.h"
#include "providers/docker/container.h"

#include <cstdint>
#include <expected>
#include <functional>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace fairlead::providers::docker {

// Where Fairlead stands, seen from one engine.
struct Surroundings {
  // The networks of Fairlead's own container. Unset: on the host, in host mode, or its container is unknown;
  // then every network counts as reachable.
  std::optional<std::set<std::string>> networks;
  bool remote = false;       // another machine: containers are reached by their published ports
  std::string host_address;  // that machine, for published ports
  std::string host_mode_address = "127.0.0.1";  // where ports of containers in host mode answer
  bool use_bind_port_ip = false;
  std::string network;                                        // providers.docker.network
  std::function<const Container*(std::string_view id)> find;  // for network_mode: container:X
};

struct Address {
  std::string ip;  // or a host name
  std::uint16_t port = 0;
  std::vector<model::Reason> warnings;
  bool on_network = false;  // of the container, or of the one whose network it uses; else of its host

  std::string text() const;  // "10.0.0.2:80", "[fd00::2]:80"
};

// The address of `port` of a running container, or why there is none. `wanted` is the network label, empty
// when there is none. Candidates in order: label, provider's network, the rest by name; networks Fairlead is
// not on are no candidates.
std::expected<Address, model::Reason> find_address(const Container& container, std::uint16_t port, bool tcp,
                                                   const std::string& wanted, const Surroundings& around);

// Fairlead's own container id, from what the kernel shows a process in a container (contents of
// /proc/self/mountinfo and /proc/self/cgroup), or nothing.
std::optional<std::string> own_container_id(std::string_view mountinfo, std::string_view cgroup);

}  // namespace fairlead::providers::docker
