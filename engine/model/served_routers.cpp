#include "engine/model/served_routers.h"

#include "engine/model/internal.h"
#include "engine/model/merge.h"
#include "engine/model/static.h"

#include <algorithm>
#include <utility>

namespace fairlead::model {
namespace {

void add_entry_point(HttpRouter& router, const EntryPoint& entry_point) {
  if (!router.tls) router.tls = entry_point.http.tls;
  const std::vector<std::string>& first = entry_point.http.middlewares;
  router.middlewares.insert(router.middlewares.begin(), first.begin(), first.end());
  if (entry_point.observability == EntryPointObservability{}) return;
  RouterObservability& own = router.observability ? *router.observability : router.observability.emplace();
  if (!own.access_logs) own.access_logs = entry_point.observability.access_logs;
  if (!own.metrics) own.metrics = entry_point.observability.metrics;
  if (!own.tracing) own.tracing = entry_point.observability.tracing;
  if (!own.trace_verbosity) own.trace_verbosity = entry_point.observability.trace_verbosity;
}

}  // namespace

bool adds_to_routers(const EntryPoint& entry_point) {
  return entry_point.http.tls || !entry_point.http.middlewares.empty() ||
         entry_point.http.encoded_characters || !(entry_point.observability == EntryPointObservability{});
}

bool any_adds_to_routers(const Static& install) {
  return std::ranges::any_of(install.entry_points,
                             [](const auto& entry) { return adds_to_routers(entry.second); });
}

std::string served_name(const std::string& entry_point, const std::string& router) {
  return entry_point + '-' + router;
}

std::vector<Served> served_as(const std::string& name, const HttpRouter& router, const Static& install,
                              const std::vector<std::string>& defaults) {
  if (split(name).provider == kInternalProvider || !router.parent_refs.empty())
    return {{name, router.entry_points}};
  const std::vector<std::string>& all = router.entry_points.empty() ? defaults : router.entry_points;
  std::vector<Served> out;
  Served rest{name, {}};
  for (const std::string& entry_point : all) {
    const auto found = install.entry_points.find(entry_point);
    if (found == install.entry_points.end() || !adds_to_routers(found->second))
      rest.entry_points.push_back(entry_point);
    else
      out.push_back({all.size() > 1 ? served_name(entry_point, name) : name, {entry_point}, &found->second});
  }
  if (!rest.entry_points.empty() || all.empty()) out.push_back(std::move(rest));
  return out;
}

std::optional<std::map<std::string, Element<HttpRouter>>> served_routers(const Http& http,
                                                                         const Static& install) {
  if (!any_adds_to_routers(install)) return std::nullopt;
  const std::vector<std::string> defaults = install.default_entry_points(false);
  std::map<std::string, Element<HttpRouter>> out;
  for (const auto& [name, element] : http.routers)
    for (Served& served : served_as(name, element.options, install, defaults)) {
      Element<HttpRouter>& copy = out.insert_or_assign(std::move(served.name), element).first->second;
      copy.options.entry_points = std::move(served.entry_points);
      if (served.adds) add_entry_point(copy.options, *served.adds);
    }
  return out;
}

std::string configured_name(const std::string& served, const Http& http, const Static& install) {
  if (http.routers.contains(served)) return served;
  for (const auto& [entry_point, options] : install.entry_points) {
    if (!served.starts_with(entry_point + '-')) continue;
    std::string name = served.substr(entry_point.size() + 1);
    if (http.routers.contains(name)) return name;
  }
  return served;
}

}  // namespace fairlead::model
