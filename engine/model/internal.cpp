#include "engine/model/internal.h"

#include "engine/model/static.h"

#include <fmt/format.h>

#include <algorithm>
#include <initializer_list>
#include <limits>
#include <set>
#include <string>
#include <utility>

namespace fairlead::model {
namespace {

constexpr const char* kEntryPoint = "traefik";
constexpr std::int64_t kFirst = std::numeric_limits<std::int64_t>::max();
constexpr const char* kChallengeRule = "PathPrefix(`/.well-known/acme-challenge/`)";

class Builder {
 public:
  explicit Builder(const Static& install) : s_(install) {}

  Dynamic build() {
    service("noop");
    ping();
    metrics();
    rest();
    api();
    challenges();
    for (const auto& [name, entry_point] : s_.entry_points) redirection(name, entry_point);
    return std::move(out_);
  }

 private:
  void ping();
  void metrics();
  void rest();
  void api();
  void challenges();
  void redirection(const std::string& from, const EntryPoint& entry_point);

  template <class T>
  Element<T>& own(std::map<std::string, Element<T>>& elements, const std::string& name) {
    Element<T>& element = elements[name];
    element.origin.source = "install configuration";
    element.owner = kInternalProvider;
    return element;
  }
  void service(const std::string& name) { own(out_.http.services, name); }
  HttpRouter& router(const std::string& name, std::string entry_point, std::string rule,
                     std::int64_t priority, const std::string& service) {
    HttpRouter& router = own(out_.http.routers, name).options;
    router.entry_points = {std::move(entry_point)};
    router.rule = std::move(rule);
    router.rule_syntax = "default";
    router.priority = priority;
    router.service = service;
    return router;
  }
  void middleware(const std::string& name, const char* type,
                  std::initializer_list<std::pair<const char*, std::string>> options) {
    Middleware& middleware = own(out_.http.middlewares, name).options;
    middleware.type = type;
    middleware.options = schema::Node::map();
    for (const auto& [key, value] : options) middleware.options.add(key, schema::Node::scalar(value));
  }
  // "/base" or nothing, to be put before a path.
  std::string base() const {
    const std::string& path = s_.api->base_path;
    return path.ends_with('/') ? path.substr(0, path.size() - 1) : path;
  }

  const Static& s_;
  Dynamic out_;
};

void Builder::ping() {
  if (!s_.ping) return;
  service("ping");
  if (!s_.ping->manual_routing) router("ping", s_.ping->entry_point, "PathPrefix(`/ping`)", kFirst, "ping");
}

void Builder::metrics() {
  if (!s_.metrics.prometheus) return;
  service("prometheus");
  if (!s_.metrics.prometheus->manual_routing)
    router("prometheus", s_.metrics.prometheus->entry_point, "PathPrefix(`/metrics`)", kFirst, "prometheus");
}

void Builder::rest() {
  if (!s_.providers.rest) return;
  service("rest");
  if (s_.providers.rest->insecure)
    router("rest", kEntryPoint, "PathPrefix(`/api/providers`)", kFirst, "rest");
}

void Builder::api() {
  if (!s_.api) return;
  service("api");
  if (s_.api->dashboard) service("dashboard");
  if (!s_.api->insecure) return;
  router("api", kEntryPoint, fmt::format("PathPrefix(`{}/api`)", base()), kFirst - 1, "api");
  if (s_.api->debug)
    router("debug", kEntryPoint, fmt::format("PathPrefix(`{}/debug`)", base()), kFirst - 1, "api");
  if (s_.api->dashboard) {
    const std::string_view end = base().empty() ? R"(\/$)" : R"(\/?$)";
    middleware("dashboard_redirect", "redirectRegex",
               {{"regex", R"(^(http:\/\/(\[[\w:.]+\]|[\w\._-]+)(:\d+)?))" + base() + std::string(end)},
                {"replacement", "${1}" + base() + "/dashboard/"},
                {"permanent", "true"}});
    router("dashboard", kEntryPoint, fmt::format("PathPrefix(`{}`)", base().empty() ? "/" : base()),
           kFirst - 2, "dashboard")
        .middlewares = {"dashboard_redirect"};
  }
}

void Builder::challenges() {
  std::set<std::string> entry_points;
  for (const auto& [name, resolver] : s_.certificates_resolvers)
    if (resolver.acme && resolver.acme->http_challenge)
      entry_points.insert(resolver.acme->http_challenge->entry_point);
  if (entry_points.empty()) return;
  service("acme-http");
  std::vector<std::string> first;
  std::vector<std::string> bypassed;
  for (const std::string& name : entry_points) {
    const auto found = s_.entry_points.find(name);
    if (found == s_.entry_points.end()) continue;
    (found->second.allow_acme_bypass ? bypassed : first).push_back(name);
  }
  if (!first.empty())
    router("acme-http", "", kChallengeRule, kFirst, "acme-http").entry_points = std::move(first);
  if (!bypassed.empty())
    router("acme-http-bypass", "", kChallengeRule, 0, "acme-http").entry_points = std::move(bypassed);
}

void Builder::redirection(const std::string& from, const EntryPoint& entry_point) {
  if (!entry_point.http.redirections || !entry_point.http.redirections->entry_point) return;
  const EntryPointRedirect& redirect = *entry_point.http.redirections->entry_point;
  std::optional<ListenAddress> target;
  if (redirect.to.starts_with(':')) {
    target = parse_listen_address(redirect.to);
    if (target && (target->udp || target->port == 0)) return;  // told as well
  } else if (const auto found = s_.entry_points.find(redirect.to); found != s_.entry_points.end()) {
    target = parse_listen_address(found->second.address);
  }
  if (!target) return;  // told by the check of the install configuration
  std::string to = redirect.to;
  std::erase(to, ':');
  const std::string name = fmt::format("{}-to-{}", from, to);
  const std::string redirecting = "redirect-" + name;
  middleware(redirecting, "redirectScheme",
             {{"scheme", redirect.scheme},
              {"port", std::to_string(target->port)},
              {"permanent", redirect.permanent ? "true" : "false"}});
  std::string rule = "HostRegexp(`^.+$`)";
  if (entry_point.allow_acme_bypass) rule += fmt::format(" && !{}", kChallengeRule);
  router(name, from, std::move(rule), redirect.priority, "noop").middlewares = {redirecting};
}

}  // namespace

Dynamic internal_config(const Static& install) { return Builder(install).build(); }

}  // namespace fairlead::model
