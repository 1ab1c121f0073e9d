#include "engine/model/api_json.h"

#include "engine/model/internal.h"
#include "engine/model/merge.h"
#include "engine/model/served_routers.h"
#include "engine/model/static.h"
#include "engine/schema/json.h"

#include <fmt/chrono.h>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace fairlead::model {
namespace {

using Json = nlohmann::ordered_json;

// Text that came from labels need not be UTF-8; it is shown with replacement characters.
std::string dump(const Json& json) { return json.dump(-1, ' ', false, Json::error_handler_t::replace); }

// Traefik shows references as they were written, so those to the same provider come without it; only the
// middlewares of routers and chains it shows in full. The internal provider writes them all out.
void shorten(Json& reference, std::string_view provider) {
  if (provider == kInternalProvider || !reference.is_string()) return;
  const std::string text = reference.get<std::string>();
  const QualifiedName name = split(text);
  if (!name.provider.empty() && name.provider == provider) reference = std::string(name.name);
}

void shorten_at(Json& json, std::initializer_list<const char*> path, std::string_view provider) {
  Json* at = &json;
  for (const char* key : path) {
    if (!at->is_object() || !at->contains(key)) return;
    at = &(*at)[key];
  }
  if (at->is_array())
    for (Json& item : *at) shorten(item.is_object() && item.contains("name") ? item["name"] : item, provider);
  else
    shorten(*at, provider);
}

Json json_of(const Reason& reason) {
  Json out = {{"kind", name(reason.kind)}, {"text", reason.text}, {"breaks", reason.breaks}};
  if (!reason.hint.empty()) out["hint"] = reason.hint;
  return out;
}

std::string sentence(const Reason& reason) {
  return reason.hint.empty() ? reason.text : fmt::format("{}; {}", reason.text, reason.hint);
}

// What every element has.
template <class T>
void common(Json& out, const std::string& name, const Element<T>& element) {
  out["status"] = status(element);
  if (!element.reasons.empty()) {
    Json errors = Json::array();
    Json reasons = Json::array();
    for (const Reason& reason : element.reasons) {
      errors.push_back(sentence(reason));
      reasons.push_back(json_of(reason));
    }
    out["error"] = std::move(errors);
    out["reasons"] = std::move(reasons);
  }
  out["name"] = name;
  out["provider"] = split(name).provider;
  if (!element.origin.source.empty()) out["origin"] = element.origin.text();
}

void used_by(Json& out, const std::string& name, const Usage::Users& users) {
  if (const auto found = users.find(name); found != users.end()) out["usedBy"] = found->second;
}

std::vector<Reason> more_reasons(Layer layer, const std::string& router, const ApiContext& context) {
  return context.more_reasons ? context.more_reasons(layer, router) : std::vector<Reason>{};
}

template <class T>
Json router_json(const std::string& name, const Element<T>& router, const std::vector<std::string>& defaults,
                 const Usage& usage) {
  bool has_entry_points = true;
  if constexpr (requires { router.options.parent_refs; })
    has_entry_points = router.options.parent_refs.empty();  // others are reached through their parents
  Json out;
  schema::write_json(router.options, out);
  if constexpr (requires { router.options.observability; }) {  // shown with its defaults
    RouterObservability watch = router.options.observability.value_or(RouterObservability{});
    watch.access_logs = watch.access_logs.value_or(true);
    watch.metrics = watch.metrics.value_or(true);
    watch.tracing = watch.tracing.value_or(true);
    watch.trace_verbosity = watch.trace_verbosity.value_or(EntryPointObservability().trace_verbosity);
    schema::write_json(watch, out["observability"]);
  }
  const auto& names = router.options.entry_points.empty() ? defaults : router.options.entry_points;
  if (has_entry_points && !names.empty()) out["entryPoints"] = names;
  const std::string_view provider = split(name).provider;
  shorten_at(out, {"service"}, provider);
  shorten_at(out, {"parentRefs"}, provider);
  if (out.contains("tls")) {
    if (!out["tls"].contains("options")) out["tls"]["options"] = "default";
    shorten_at(out, {"tls", "options"}, provider);
  }
  common(out, name, router);
  // Of broken ones too: they keep their place there.
  for (const std::string& entry_point : names)
    if (has_entry_points && usage.entry_points.contains(entry_point)) out["using"].push_back(entry_point);
  return out;
}

void priority(Json& out, std::int64_t value) {
  out["priority"] = value;
  out["priorityStr"] = std::to_string(value);
}

std::int64_t length_of(const std::string& rule) { return static_cast<std::int64_t>(rule.size()); }

std::string time_text(std::chrono::system_clock::time_point since) {
  return fmt::format("{:%Y-%m-%dT%H:%M:%SZ}", fmt::gmtime(std::chrono::system_clock::to_time_t(since)));
}

void servers(Json& out, const std::string& name, const std::vector<std::string>& urls,
             const std::vector<Standing>* standings, const ApiContext& context) {
  Json status = Json::object();
  for (const std::string& url : urls) status[url] = "UP";
  if (standings) {
    Json list = Json::array();
    for (const Standing& standing : *standings) {
      Json item = {{"name", standing.name}, {"url", standing.url}, {"state", model::name(standing.state)}};
      if (standing.since.time_since_epoch().count() != 0) item["since"] = time_text(standing.since);
      for (const Reason& reason : standing.reasons) item["reasons"].push_back(json_of(reason));
      list.push_back(std::move(item));
      if (!standing.url.empty()) status[standing.url] = standing.state == ServerState::Ready ? "UP" : "DOWN";
    }
    out["standings"] = std::move(list);
  }
  if (context.server_up)
    for (auto& [url, state] : status.items())
      if (const std::optional<bool> up = context.server_up(name, url)) state = *up ? "UP" : "DOWN";
  if (!status.empty()) out["serverStatus"] = std::move(status);
  if (!context.illness) return;
  for (const std::string& url : urls)
    if (const auto illness = context.illness(name, url))
      out["serverReasons"][url] = {{"kind", model::name(ReasonKind::Unhealthy)},
                                   {"text", illness->reason},
                                   {"since", time_text(illness->since)}};
}

template <class T>
std::vector<std::string> addresses(const std::optional<T>& load_balancer) {
  std::vector<std::string> out;
  if (!load_balancer) return out;
  for (const auto& server : load_balancer->servers) {
    if constexpr (requires { server.url; }) {
      if (!server.url.empty()) out.push_back(server.url);
    } else {
      if (!server.address.empty()) out.push_back(server.address);
    }
  }
  return out;
}

// The type of a service is the key of its only block, in lower case.
template <class T>
Json service_json(const std::string& name, const Element<T>& service, const std::vector<Standing>* standings,
                  const Usage::Users& users, const ApiContext& context) {
  Json out;
  schema::write_json(service.options, out);
  std::string type;
  for (const auto& [key, value] : out.items())
    if (type.empty() && value.is_object()) type = schema::lower(key);
  const std::string_view provider = split(name).provider;
  for (const char* kind : {"weighted", "highestRandomWeight"}) shorten_at(out, {kind, "services"}, provider);
  shorten_at(out, {"loadBalancer", "serversTransport"}, provider);
  shorten_at(out, {"mirroring", "service"}, provider);
  shorten_at(out, {"mirroring", "mirrors"}, provider);
  shorten_at(out, {"failover", "service"}, provider);
  shorten_at(out, {"failover", "fallback"}, provider);
  shorten_at(out, {"middlewares"}, provider);
  common(out, name, service);
  used_by(out, name, users);
  if (!type.empty()) out["type"] = type;
  servers(out, name, addresses(service.options.load_balancer), standings, context);
  return out;
}

Json middleware_json(const std::string& name, const Element<Middleware>& middleware, Layer layer,
                     const ApiContext& context) {
  Json out = Json::object();
  const std::string& type = middleware.options.type;
  if (!type.empty()) {
    const std::string options =
        context.middleware_options ? context.middleware_options(middleware.options, layer) : "";
    Json parsed = options.empty() ? Json::object() : Json::parse(options, nullptr, false);
    out[type] = parsed.is_discarded() ? Json::object() : std::move(parsed);
    const std::string_view provider = split(name).provider;
    if (type == "errors") shorten_at(out, {"errors", "service"}, provider);
  }
  common(out, name, middleware);
  used_by(out, name, layer == Layer::Http ? context.usage.http_middlewares : context.usage.tcp_middlewares);
  if (!type.empty()) out["type"] = schema::lower(type);
  return out;
}

// A router of HTTP or TCP, with what is known of it only while it serves.
template <class T>
Json served_router_json(const std::string& name, const Element<T>& router, Layer layer,
                        const ApiContext& context) {
  const std::vector<Reason> more = more_reasons(layer, name, context);
  if (more.empty()) return router_json(name, router, context.usage.default_tcp, context.usage);
  Element<T> whole = router;
  whole.reasons.insert(whole.reasons.end(), more.begin(), more.end());
  return router_json(name, whole, context.usage.default_tcp, context.usage);
}

Json json_of(const std::string& name, const Element<HttpRouter>& router, const ApiContext& context) {
  Json out = served_router_json(name, router, Layer::Http, context);
  const HttpRouter& options = router.options;
  priority(out, options.priority != 0 ? options.priority : length_of(options.rule));
  return out;
}

Json json_of(const std::string& name, const Element<TcpRouter>& router, const ApiContext& context) {
  Json out = served_router_json(name, router, Layer::Tcp, context);
  const TcpRouter& options = router.options;
  const std::int64_t computed = options.rule == "HostSNI(`*`)" ? -1 : length_of(options.rule);
  priority(out, options.priority != 0 ? options.priority : computed);
  return out;
}

Json json_of(const std::string& name, const Element<UdpRouter>& router, const ApiContext& context) {
  return router_json(name, router, context.usage.default_udp, context.usage);
}

// `has_more`: whether more is wrong with one than it says itself.
template <class T, class HasMore>
Json totals(const std::map<std::string, Element<T>>& elements, HasMore has_more) {
  std::size_t warnings = 0;
  std::size_t errors = 0;
  for (const auto& [name, element] : elements) {
    if (element.broken())
      ++errors;
    else if (!element.reasons.empty() || has_more(name))
      ++warnings;
  }
  return {{"total", elements.size()}, {"warnings", warnings}, {"errors", errors}};
}

template <class T>
Json totals(const std::map<std::string, Element<T>>& elements) {
  return totals(elements, [](const std::string&) { return false; });
}

Json provider_names(const Providers& providers) {
  Json out = Json::array();
  if (providers.docker) out.push_back("Docker");
  if (providers.swarm) out.push_back("Swarm");
  if (providers.file) out.push_back("File");
  if (providers.rest) out.push_back("Rest");
  if (providers.consul) out.push_back("Consul");
  if (providers.etcd) out.push_back("Etcd");
  if (providers.zoo_keeper) out.push_back("ZooKeeper");
  if (providers.redis) out.push_back("Redis");
  if (providers.http) out.push_back("HTTP");
  return out;
}

const std::vector<Standing>* find(const std::map<std::string, std::vector<Standing>>& standings,
                                  const std::string& service) {
  const auto found = standings.find(service);
  return found == standings.end() ? nullptr : &found->second;
}

}  // namespace

std::string api_json(const std::string& name, const Element<HttpRouter>& router, const ApiContext& context) {
  return dump(json_of(name, router, context));
}
std::string api_json(const std::string& name, const Element<TcpRouter>& router, const ApiContext& context) {
  return dump(json_of(name, router, context));
}
std::string api_json(const std::string& name, const Element<UdpRouter>& router, const ApiContext& context) {
  return dump(json_of(name, router, context));
}

std::string api_json(const std::string& name, const Element<HttpService>& service,
                     const std::vector<Standing>* standings, const ApiContext& context) {
  return dump(service_json(name, service, standings, context.usage.http_services, context));
}
std::string api_json(const std::string& name, const Element<TcpService>& service,
                     const std::vector<Standing>* standings, const ApiContext& context) {
  return dump(service_json(name, service, standings, context.usage.tcp_services, context));
}
std::string api_json(const std::string& name, const Element<UdpService>& service,
                     const std::vector<Standing>* standings, const ApiContext& context) {
  return dump(service_json(name, service, standings, context.usage.udp_services, context));
}

std::string api_json(const std::string& name, const Element<Middleware>& middleware, Layer layer,
                     const ApiContext& context) {
  return dump(middleware_json(name, middleware, layer, context));
}

std::string api_json(const std::string& name, const EntryPoint& entry_point) {
  EntryPoint shown = entry_point;
  RespondingTimeouts& timeouts = shown.transport.responding_timeouts;
  timeouts.read_timeout = timeouts.read_timeout.value_or(kDefaultReadTimeout);
  Json out;
  schema::write_json(shown, out);
  out["name"] = name;
  return dump(out);
}

std::string overview_json(const Dynamic& dynamic, const Static& install, const ApiContext& context) {
  Json out;
  const auto lacks = [&context](Layer layer) {
    return [&context, layer](const std::string& router) {
      return !more_reasons(layer, router, context).empty();
    };
  };
  const auto served = served_routers(dynamic.http, install);
  out["http"] = {{"routers", totals(served ? *served : dynamic.http.routers, lacks(Layer::Http))},
                 {"services", totals(dynamic.http.services)},
                 {"middlewares", totals(dynamic.http.middlewares)}};
  out["tcp"] = {{"routers", totals(dynamic.tcp.routers, lacks(Layer::Tcp))},
                {"services", totals(dynamic.tcp.services)},
                {"middlewares", totals(dynamic.tcp.middlewares)}};
  out["udp"] = {{"routers", totals(dynamic.udp.routers)}, {"services", totals(dynamic.udp.services)}};
  const Metrics& metrics = install.metrics;
  out["features"] = {{"tracing", install.tracing ? "OTLP" : ""},
                     {"metrics", metrics.prometheus ? "Prometheus"
                                 : metrics.otlp     ? "OTLP"
                                                    : ""},
                     {"accessLog", install.access_log.has_value()}};
  out["providers"] = provider_names(install.providers);
  return dump(out);
}

std::string rawdata_json(const Dynamic& dynamic, const ApiContext& context) {
  Json out = Json::object();
  // Appended without looking for equal keys: a map has none, and there may be 100,000.
  const auto section = [&out](const char* key, const auto& elements, const auto& json) {
    if (elements.empty()) return;
    Json& into = out[key] = Json::object();
    auto& pairs = into.template get_ref<Json::object_t&>();
    for (const auto& [name, element] : elements)
      static_cast<Json::object_t::Container&>(pairs).emplace_back(name, json(name, element));
  };
  const auto routers = [&](const std::string& name, const auto& element) {
    return json_of(name, element, context);
  };
  const auto services = [&](const auto& standings, const Usage::Users& users) {
    return [&](const std::string& name, const auto& element) {
      return service_json(name, element, find(standings, name), users, context);
    };
  };
  const auto middlewares = [&](Layer layer) {
    return [&, layer](const std::string& name, const Element<Middleware>& element) {
      return middleware_json(name, element, layer, context);
    };
  };
  section("routers", context.served_routers ? *context.served_routers : dynamic.http.routers, routers);
  section("middlewares", dynamic.http.middlewares, middlewares(Layer::Http));
  section("services", dynamic.http.services, services(dynamic.http.standings, context.usage.http_services));
  section("tcpRouters", dynamic.tcp.routers, routers);
  section("tcpMiddlewares", dynamic.tcp.middlewares, middlewares(Layer::Tcp));
  section("tcpServices", dynamic.tcp.services, services(dynamic.tcp.standings, context.usage.tcp_services));
  section("udpRouters", dynamic.udp.routers, routers);
  section("udpServices", dynamic.udp.services, services(dynamic.udp.standings, context.usage.udp_services));
  return dump(out);
}

}  // namespace fairlead::model
