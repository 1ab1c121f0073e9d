#include "engine/runtime/server_up.h"

namespace fairlead::runtime {

namespace {

// HTTP and TCP services may share a name; URLs and addresses differ by the scheme.
const upstream::Server* find_ill(const Snapshot& snapshot, std::string_view service, std::string_view url) {
  for (const auto* sets : {&snapshot.sets, &snapshot.tcp_sets}) {
    const auto set = sets->find(service);
    if (set == sets->end()) continue;
    for (const upstream::Server& server : set->second->servers)
      if (server.address.url == url && !server.state->health.good()) return &server;
  }
  return nullptr;
}

}  // namespace

std::optional<bool> server_up(const Snapshot& snapshot, std::string_view service, std::string_view url) {
  return find_ill(snapshot, service, url) ? std::optional(false) : std::nullopt;
}

std::optional<model::ServerIllness> server_illness(const Snapshot& snapshot, std::string_view service,
                                                   std::string_view url) {
  const upstream::Server* server = find_ill(snapshot, service, url);
  if (!server) return std::nullopt;
  upstream::Illness illness = server->state->health.illness();
  return model::ServerIllness{std::move(illness.reason),
                              std::chrono::system_clock::time_point(illness.since.time_since_epoch())};
}

}  // namespace fairlead::runtime
