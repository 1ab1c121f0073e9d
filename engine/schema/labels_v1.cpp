#include "engine/schema/labels_v1.h"

#include "engine/schema/node.h"

namespace fairlead::schema {
namespace {

struct Replacement {
  std::string_view v1;  // ends with '.' when it stands for everything below
  const char* v3;
};

// The most exact first: the first that fits counts.
constexpr Replacement kReplacements[] = {
    {"frontend.rule", "traefik.http.routers.<name>.rule"},
    {"frontend.entrypoints", "traefik.http.routers.<name>.entrypoints"},
    {"frontend.priority", "traefik.http.routers.<name>.priority"},
    {"frontend.passhostheader", "traefik.http.services.<name>.loadbalancer.passhostheader"},
    {"frontend.passtlscert", "traefik.http.middlewares.<name>.passtlsclientcert.pem"},
    {"frontend.passtlsclientcert.", "traefik.http.middlewares.<name>.passtlsclientcert"},
    {"frontend.auth.basic.", "traefik.http.middlewares.<name>.basicauth"},
    {"frontend.auth.basic", "traefik.http.middlewares.<name>.basicauth.users"},
    {"frontend.auth.digest.", "traefik.http.middlewares.<name>.digestauth"},
    {"frontend.auth.forward.", "traefik.http.middlewares.<name>.forwardauth"},
    {"frontend.auth.", "traefik.http.middlewares.<name>.basicauth"},
    {"frontend.errors.", "traefik.http.middlewares.<name>.errors"},
    {"frontend.ratelimit.", "traefik.http.middlewares.<name>.ratelimit"},
    {"frontend.redirect.", "traefik.http.middlewares.<name>.redirectscheme"},
    {"frontend.whitelist.", "traefik.http.middlewares.<name>.ipallowlist"},
    {"frontend.whitelistsourcerange", "traefik.http.middlewares.<name>.ipallowlist.sourcerange"},
    {"frontend.headers.", "traefik.http.middlewares.<name>.headers"},
    {"frontend.", "traefik.http.routers.<name>"},
    {"frontend", "traefik.http.routers.<name>"},
    {"backend.loadbalancer.sticky", "traefik.http.services.<name>.loadbalancer.sticky.cookie"},
    {"backend.loadbalancer.stickiness.", "traefik.http.services.<name>.loadbalancer.sticky.cookie"},
    {"backend.loadbalancer.stickiness", "traefik.http.services.<name>.loadbalancer.sticky.cookie"},
    {"backend.loadbalancer.", "traefik.http.services.<name>.loadbalancer"},
    {"backend.healthcheck.", "traefik.http.services.<name>.loadbalancer.healthcheck"},
    {"backend.circuitbreaker.", "traefik.http.middlewares.<name>.circuitbreaker"},
    {"backend.buffering.", "traefik.http.middlewares.<name>.buffering"},
    {"backend.maxconn.", "traefik.http.middlewares.<name>.inflightreq"},
    {"backend.responseforwarding.", "traefik.http.services.<name>.loadbalancer.responseforwarding"},
    {"backend.", "traefik.http.services.<name>.loadbalancer"},
    {"backend", "traefik.http.routers.<name>.service"},
    {"port", "traefik.http.services.<name>.loadbalancer.server.port"},
    {"protocol", "traefik.http.services.<name>.loadbalancer.server.scheme"},
    {"weight", "traefik.http.services.<name>.loadbalancer.server.weight"},
    {"domain", "a defaultRule of the provider, or traefik.http.routers.<name>.rule"},
};

std::optional<std::string> look_up(std::string_view key) {
  for (const Replacement& row : kReplacements) {
    const bool fits = row.v1.ends_with('.') ? key.starts_with(row.v1) : key == row.v1;
    if (fits) return row.v3;
  }
  return std::nullopt;
}

}  // namespace

std::optional<std::string> replacement_of_v1_label(std::string_view key) {
  const std::string folded = lower(key);
  if (auto found = look_up(folded)) return found;
  // Version 1 let a container have several services: `traefik.<segment>.port`.
  const std::size_t dot = folded.find('.');
  if (dot == std::string::npos) return std::nullopt;
  return look_up(std::string_view(folded).substr(dot + 1));
}

}  // namespace fairlead::schema
