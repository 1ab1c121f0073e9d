// Containers for the unit tests of this folder.
#pragma once

#include "providers/docker/catalog.h"

#include <string>
#include <string_view>

namespace fairlead::providers::docker::test {

inline constexpr std::string_view kHttpTypes[] = {"basicAuth", "chain", "headers", "redirectScheme"};
inline constexpr std::string_view kTcpTypes[] = {"ipAllowList"};

inline Settings settings() {
  Settings out;
  out.default_rule = *Template::parse(model::kDefaultRule);
  out.types = {kHttpTypes, kTcpTypes};
  return out;
}

inline const WallTime kEpoch{std::chrono::seconds(1'700'000'000)};

inline Moment at(Duration since_start) {
  return {TimePoint(std::chrono::hours(1)) + since_start, kEpoch + std::chrono::hours(1) + since_start};
}

// A running container with one exposed port on the default bridge. `number` makes id, address and age: lower
// is older.
inline Container container(std::string name, int number, Labels labels = {}) {
  Container out;
  out.id = "id-" + std::to_string(number);
  out.name = std::move(name);
  out.labels = std::move(labels);
  out.network_mode = "bridge";
  out.attachments = {{"bridge", "n", "172.17.0." + std::to_string(number), "", ""}};
  out.ports = {{80, true, {}}};
  out.running = Running::Running;
  out.created = kEpoch + std::chrono::seconds(number);
  out.started = out.created;
  return out;
}

// The same as a replica of a Compose service.
inline Container replica(const std::string& project, const std::string& service, int number,
                         Labels labels = {}) {
  labels["com.docker.compose.project"] = project;
  labels["com.docker.compose.service"] = service;
  return container(project + "-" + service + "-" + std::to_string(number), number, std::move(labels));
}

inline Catalog catalog(Settings s = settings()) { return Catalog(std::move(s), {{"", Place{}}}); }

// The only standing of service "a".
inline model::Standing standing(Catalog& catalog) {
  const model::Dynamic d = catalog.compose();
  const auto found = d.http.standings.find("a");
  return found == d.http.standings.end() || found->second.size() != 1 ? model::Standing{} : found->second[0];
}

}  // namespace fairlead::providers::docker::test
