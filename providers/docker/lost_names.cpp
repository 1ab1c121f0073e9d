#include "providers/docker/lost_names.h"

#include "engine/model/references.h"

#include <utility>
#include <vector>

namespace fairlead::providers::docker {
namespace {

using model::Reference;
using model::Target;

std::string_view kind_of(Target target) {
  switch (target) {
    case Target::Service: return "services";
    case Target::Middleware: return "middlewares";
    case Target::Transport: return "serversTransports";
  }
  std::unreachable();
}

class Users {
 public:
  Users(const model::Dynamic& own, std::string_view provider) : provider_(provider) {
    http(own.http);
    tcp(own.tcp);
    services("udp", own.udp.services);
    for (const auto& [name, router] : own.udp.routers)
      uses("udp.routers." + name, "udp.services.", router.options.service);
  }

  std::map<std::string, std::string> of(const std::set<std::string>& lost) const {
    std::map<std::string, std::string> found;
    std::vector<std::pair<std::string, std::string>> open;  // a name, and the lost one behind it
    for (const std::string& key : lost) open.emplace_back(key, key);
    while (!open.empty()) {
      const auto [key, behind] = std::move(open.back());
      open.pop_back();
      for (auto [user, end] = users_.equal_range(key); user != end; ++user)
        if (found.emplace(user->second, behind).second) open.emplace_back(user->second, behind);
    }
    return found;
  }

 private:
  void http(const model::Http& own) {
    services("http", own.services);
    for (const auto& [name, middleware] : own.middlewares)
      for (const Reference& reference : model::references(middleware.options))
        uses("http.middlewares." + name, "http", reference);
    for (const auto& [name, router] : own.routers) {
      const std::string user = "http.routers." + name;
      for (const std::string& parent : router.options.parent_refs) uses(user, "http.routers.", parent);
      uses_of_router(user, "http", router.options);
    }
  }
  void tcp(const model::Tcp& own) {
    services("tcp", own.services);
    for (const auto& [name, router] : own.routers)
      uses_of_router("tcp.routers." + name, "tcp", router.options);
  }

  template <class Services>
  void services(const std::string& section, const Services& all) {
    for (const auto& [name, service] : all)
      for (const Reference& reference : model::references(service.options))
        uses(section + ".services." + name, section, reference);
  }
  template <class Router>
  void uses_of_router(const std::string& user, const std::string& section, const Router& router) {
    uses(user, section + ".services.", router.service);
    for (const std::string& middleware : router.middlewares)
      uses(user, section + ".middlewares.", middleware);
    if (router.tls) uses(user, "tls.options.", router.tls->options);
  }

  void uses(const std::string& user, const std::string& section, const Reference& reference) {
    uses(user, section + '.' + std::string(kind_of(reference.target)) + '.', reference.name);
  }
  void uses(const std::string& user, std::string prefix, std::string_view name) {
    const std::size_t at = name.rfind('@');
    if (at != std::string_view::npos && name.substr(at + 1) != provider_) return;
    users_.emplace(std::move(prefix.append(name.substr(0, at))), user);
  }

  std::string_view provider_;
  std::multimap<std::string, std::string> users_;  // a name, and who uses it
};

}  // namespace

std::map<std::string, std::string> users_of_lost_names(const model::Dynamic& own, std::string_view provider,
                                                       const std::set<std::string>& lost) {
  return Users(own, provider).of(lost);
}

}  // namespace fairlead::providers::docker
