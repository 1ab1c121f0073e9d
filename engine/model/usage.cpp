#include "engine/model/usage.h"

#include "engine/model/served_routers.h"
#include "engine/model/static.h"

namespace fairlead::model {
namespace {

template <class Routers>
void collect(const Routers& routers, Usage::Users& services, Usage::Users& middlewares) {
  for (const auto& [name, element] : routers) {
    if (!element.options.service.empty()) services[element.options.service].push_back(name);
    for (const std::string& middleware : element.options.middlewares) middlewares[middleware].push_back(name);
  }
}

}  // namespace

Usage usage_of(const Dynamic& dynamic, const Static& install) {
  Usage out;
  const auto served = served_routers(dynamic.http, install);
  collect(served ? *served : dynamic.http.routers, out.http_services, out.http_middlewares);
  collect(dynamic.tcp.routers, out.tcp_services, out.tcp_middlewares);
  for (const auto& [name, element] : dynamic.udp.routers)
    if (!element.options.service.empty()) out.udp_services[element.options.service].push_back(name);
  out.default_tcp = install.default_entry_points(false);
  out.default_udp = install.default_entry_points(true);
  for (const auto& [name, entry_point] : install.entry_points) out.entry_points.insert(name);
  return out;
}

}  // namespace fairlead::model
