#include "engine/model/served_routers.h"

#include "engine/model/internal.h"
#include "engine/model/merge.h"
#include "engine/model/static.h"

#include <algorithm>
#include <utility>

namespace fairlead::model {
namespace {

bool serves(const std::string& name, const HttpRouter& router, std::string_view service) {
  return split(name).provider == kInternalProvider && split(router.service).name == service;
}

void add_entry_point(const std::string& name, HttpRouter& router, const EntryPoint& entry_point) {
  const std::string_view provider = split(name).provider;
  if (!router.tls && entry_point.http.tls && takes_tls(name, router)) {
    router.tls = entry_point.http.tls;
    router.tls->options = tls_options_for(*entry_point.http.tls, provider);
  }
  const std::vector<std::string> first = middlewares_for(entry_point, provider);
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

bool takes_middlewares(const std::string& name, const HttpRouter& router) {
  return !serves(name, router, "acme-http");
}

bool takes_tls(const std::string& name, const HttpRouter& router) {
  return takes_middlewares(name, router) && !serves(name, router, "noop");
}

std::vector<std::string> middlewares_for(const EntryPoint& entry_point, std::string_view provider) {
  std::vector<std::string> out;
  for (const std::string& name : entry_point.http.middlewares) out.push_back(qualify(name, provider));
  return out;
}

std::string tls_options_for(const RouterTls& tls, std::string_view provider) {
  return tls.options == "default" ? tls.options : qualify(tls.options, provider);
}

std::string served_name(const std::string& entry_point, const std::string& router) {
  return entry_point + '-' + router;
}

std::vector<Served> served_as(const std::string& name, const HttpRouter& router, const Static& install,
                              const std::vector<std::string>& defaults) {
  if (!takes_middlewares(name, router) || !router.parent_refs.empty()) return {{name, router.entry_points}};
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
      if (served.adds) add_entry_point(name, copy.options, *served.adds);
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
