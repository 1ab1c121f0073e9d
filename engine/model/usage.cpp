#include "engine/model/usage.h"

#include "engine/model/merge.h"
#include "engine/model/served_routers.h"
#include "engine/model/static.h"

#include <algorithm>

namespace fairlead::model {
namespace {

void collect(const std::string& name, const auto& options, Usage::Users& services,
             Usage::Users& middlewares) {
  if (!options.service.empty()) services[options.service].push_back(name);
  for (const std::string& middleware : options.middlewares) middlewares[middleware].push_back(name);
}

// By the names that the API shows, and with the middlewares of entry points.
void collect_split(const Http& http, const Static& install, Usage& out) {
  for (const auto& [name, element] : http.routers)
    for (const Served& served : served_as(name, element.options, install, out.default_tcp)) {
      collect(served.name, element.options, out.http_services, out.http_middlewares);
      if (!served.adds) continue;
      for (const std::string& middleware : middlewares_for(*served.adds, split(name).provider))
        out.http_middlewares[middleware].push_back(served.name);
    }
}

// In the order of their names, each once: a router may name what its entry point names too.
void put_in_order(Usage::Users& users) {
  for (auto& [name, routers] : users) {
    std::ranges::sort(routers);
    const auto again = std::ranges::unique(routers);
    routers.erase(again.begin(), again.end());
  }
}

}  // namespace

Usage usage_of(const Dynamic& dynamic, const Static& install) {
  Usage out;
  out.default_tcp = install.default_entry_points(false);
  out.default_udp = install.default_entry_points(true);
  for (const auto& [name, entry_point] : install.entry_points) out.entry_points.insert(name);
  if (any_adds_to_routers(install))
    collect_split(dynamic.http, install, out);
  else
    for (const auto& [name, element] : dynamic.http.routers)
      collect(name, element.options, out.http_services, out.http_middlewares);
  for (const auto& [name, element] : dynamic.tcp.routers)
    collect(name, element.options, out.tcp_services, out.tcp_middlewares);
  for (const auto& [name, element] : dynamic.udp.routers)
    if (!element.options.service.empty()) out.udp_services[element.options.service].push_back(name);
  for (Usage::Users* users : {&out.http_services, &out.http_middlewares, &out.tcp_services,
                              &out.tcp_middlewares, &out.udp_services})
    put_in_order(*users);
  return out;
}

}  // namespace fairlead::model
