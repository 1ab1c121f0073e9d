#pragma once

#include "engine/model/dynamic.h"
#include "providers/docker/network.h"
#include "providers/docker/settings.h"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace fairlead::providers::docker {

enum class Protocol : unsigned char { Http, Tcp, Udp };

// The server that a container is behind one of its services.
struct ServerOf {
  Protocol protocol;
  std::string service;
  std::string url;                     // TCP, UDP: the address; empty when there is none that may be dialled
  std::vector<model::Reason> reasons;  // why there is no address, and warnings about the one there is
  std::string network_ip{};            // of `url`, when it leads to one of the container's networks

  bool operator==(const ServerOf&) const = default;
};

// A port to try while the container is starting, and where.
struct ProbeTarget {
  std::uint16_t port = 0;  // of the container
  Address address;
};

// One container, as configuration. Its state (starting, ready, …) is not part of it: see merge.h.
struct Built {
  bool exposed = false;    // else everything below is empty, but for the next
  std::string filtered;    // why not, in Traefik's words
  model::Dynamic dynamic;  // services hold their one server when its address is known; no standings
  std::vector<ServerOf> servers;
  std::vector<ProbeTarget> probes;  // TCP only
  bool ambiguous = false;  // an HTTP service without a port label, and several ports: probing decides
  bool allow_non_running = false;
  std::vector<model::Reason> notes;  // for the log

  bool operator==(const Built&) const = delete;
};

// What `container` asks for. `chosen` is the port that probing found, when several are exposed. Never fails:
// what is wrong is a reason on the element it concerns.
Built build(const Container& container, const Surroundings& around, const Settings& settings,
            std::optional<std::uint16_t> chosen);

// What concerns no element that the log names: labels that are none, servers without port or network.
std::vector<model::Reason> faults(const Built& built, std::string_view container);

// The port of a service without a port label: the only exposed one of its protocol, else `chosen`, else the
// published one, else the lowest; without one of its protocol the lowest of the other.
std::optional<std::uint16_t> choose_port(const Container& container, bool tcp,
                                         std::optional<std::uint16_t> chosen);

}  // namespace fairlead::providers::docker
