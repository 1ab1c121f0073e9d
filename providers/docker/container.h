#pragma once

#include "engine/base/clock.h"
#include "engine/schema/labels.h"

#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace fairlead::providers::docker {

using Labels = schema::Labels;

enum class Running : unsigned char { Created, Running, Paused, Restarting, Removing, Exited, Dead };
enum class Health : unsigned char { None, Starting, Healthy, Unhealthy };

struct Binding {
  std::string ip;  // as published: "", "0.0.0.0", "::" or one address of the host
  std::uint16_t port = 0;

  bool operator==(const Binding&) const = default;
};

struct Port {
  std::uint16_t number = 0;
  bool tcp = true;                // else UDP (SCTP ports are left out)
  std::vector<Binding> bindings;  // where it is published on the host, if anywhere

  bool operator==(const Port&) const = default;
};

// One attachment to a network. The addresses are empty while the container is not running.
struct Attachment {
  std::string name;
  std::string network_id;
  std::string ipv4;
  std::string ipv6;  // the global one
  std::string gateway;

  bool operator==(const Attachment&) const = default;
};

// What an engine says about one container: a value, the same for Docker 19.03 to 29 and Podman.
struct Container {
  std::string host;  // name of the engine in providers.docker.hosts; empty for the single endpoint
  std::string id;
  std::string name;           // without the leading slash
  std::string swarm_service;  // of a task; empty for ordinary containers
  Labels labels;
  std::string network_mode;             // "bridge", "host", "container:<id>", …
  std::vector<Attachment> attachments;  // by name
  std::vector<Port> ports;              // exposed or published, by number, TCP before UDP
  Running running = Running::Created;
  Health health = Health::None;
  std::string health_output;  // of the last failed probe, shortened
  int exit_code = 0;
  bool oom_killed = false;
  std::string stop_signal = "SIGTERM";
  Duration stop_timeout = std::chrono::seconds(10);  // from the stop signal to SIGKILL
  WallTime created{};
  WallTime started{};

  const std::string& label(std::string_view key) const;  // empty when absent
  std::string project() const { return label("com.docker.compose.project"); }
  std::string service() const { return label("com.docker.compose.service"); }

  // What default names and rules are made of, not yet normalized: "<service>_<project>" with Compose, the
  // service with Swarm, else the container's name.
  std::string base_name() const;

  // Who defines names: project and service of Compose, which replicas and recreated containers share;
  // else the container's name. Engines are told apart, by "<engine>//" in front: no two are written alike.
  std::string owner() const;

  bool host_mode() const { return network_mode == "host"; }
  // The container whose network it uses (network_mode: container:X), or empty.
  std::string_view network_of() const;

  bool operator==(const Container&) const = default;
};

// One row of GET /containers/json: enough to see whether a container must be inspected again.
struct Listed {
  std::string id;
  std::string name;
  std::string fingerprint;  // everything of it that concerns routing
};

// GET /containers/{id}/json. Missing and unknown members are tolerated, a wrong shape is an error.
std::expected<Container, std::string> parse_container(std::string_view json);

// GET /containers/json.
std::expected<std::vector<Listed>, std::string> parse_list(std::string_view json);

// RFC 3339 with up to nine digits of fraction; the epoch for anything else ("0001-01-01T00:00:00Z" too).
WallTime parse_time(std::string_view text);

// "SIGTERM", "TERM", "15" → "SIGTERM"; "37" → "SIGRTMIN+3"; unknown ones come back as they are.
std::string signal_name(std::string_view text);

}  // namespace fairlead::providers::docker
