#include "engine/runtime/route_compiler.h"

#include "engine/base/strings.h"
#include "engine/model/merge.h"
#include "engine/runtime/broken.h"

#include <fmt/format.h>

#include <algorithm>

namespace fairlead::runtime {
namespace {

// Whether an entry point adds something of its own to its routers: then a router of several entry points has
// one name per entry point, as in Traefik ("websecure-shop@docker").
bool has_model(const model::EntryPoint& entry_point) {
  const model::EntryPointObservability plain;
  return entry_point.http.tls || !entry_point.http.middlewares.empty() ||
         entry_point.http.encoded_characters || !(entry_point.observability == plain);
}

std::uint32_t precedence_of(std::string_view provider, const model::Static& install) {
  const auto& order = install.providers.precedence;
  const auto at = std::ranges::find(order, provider);
  return static_cast<std::uint32_t>(at - order.begin());
}

std::shared_ptr<const http::EncodedCharacters> encoded_of(const model::EntryPoint& entry_point) {
  if (!entry_point.http.encoded_characters) return nullptr;
  const model::EncodedCharacters& allowed = *entry_point.http.encoded_characters;
  auto made = std::make_shared<http::EncodedCharacters>();
  made->allow_slash = allowed.slash;
  made->allow_back_slash = allowed.back_slash;
  made->allow_null_character = allowed.null_character;
  made->allow_semicolon = allowed.semicolon;
  made->allow_percent = allowed.percent;
  made->allow_question_mark = allowed.question_mark;
  made->allow_hash = allowed.hash;
  return made;
}

}  // namespace

exchange::Route RouteCompiler::route(const std::string& name, model::Element<model::HttpRouter>& element,
                                     const std::string& entry_point_name,
                                     const model::EntryPoint& entry_point) {
  const model::HttpRouter& options = element.options;
  const bool internal = model::split(name).provider == "internal";
  exchange::Route made;
  made.name = name;
  if (options.entry_points.size() > 1 && has_model(entry_point))
    made.name = fmt::format("{}-{}", entry_point_name, name);
  made.service_name = options.service;
  made.internal = internal;
  if (element.broken()) {
    made.handler = std::make_shared<Broken>(fmt::format("router {}", name), element.reasons);
  } else {
    std::vector<std::string> middlewares;
    if (!internal) middlewares = entry_point.http.middlewares;
    middlewares.insert(middlewares.end(), options.middlewares.begin(), options.middlewares.end());
    const ServiceCompiler::Handler& handler = services_.chain(middlewares, options.service);
    made.handler = handler.service;
    for (const model::Reason& reason : handler.reasons)
      if (std::ranges::find(element.reasons, reason) == element.reasons.end())
        element.reasons.push_back(reason);
  }
  if (!internal) made.encoded = encoded_of(entry_point);
  const auto& watch = options.observability;
  made.log = watch && watch->access_logs ? *watch->access_logs : entry_point.observability.access_logs;
  made.metrics = watch && watch->metrics ? *watch->metrics : entry_point.observability.metrics;
  // FNV-1-64 of the router's name, as Traefik writes it.
  if (element.by_default_rule) {
    std::uint64_t hash = 14695981039346656037ULL;
    for (const char c : name) hash = (hash * 1099511628211ULL) ^ static_cast<unsigned char>(c);
    made.loop_token = fmt::format("{:x}", hash);
  }
  return made;
}

void RouteCompiler::add(const std::string& name, model::Element<model::HttpRouter>& element,
                        std::uint64_t order) {
  if (!element.options.parent_refs.empty()) return;  // reachable through its parents only
  std::string problem;
  const auto rule = compiler_.rule(element.options, problem, install_);
  if (!rule) {
    element.break_off(model::ReasonKind::BadOption, problem);
    return;
  }
  for (const std::string& notice : rule->notices) element.warn(model::ReasonKind::BadOption, notice);
  const bool internal = model::split(name).provider == "internal";
  std::int64_t priority = element.options.priority;
  if (!internal) {
    auto effective = routing::effective_priority(*rule, priority);
    if (!effective) {
      if (!element.broken())
        element.break_off(model::ReasonKind::BadOption, "priority: " + effective.error().what);
      priority = rule->default_priority();
    } else {
      priority = *effective;
    }
  } else if (priority == 0) {
    priority = rule->default_priority();
  }
  const routing::Standing standing{priority, precedence_of(model::split(name).provider, install_), order};
  const std::vector<std::string>& wanted =
      element.options.entry_points.empty() ? defaults_ : element.options.entry_points;
  for (const std::string& entry_point_name : wanted) {
    const auto entry_point = install_.entry_points.find(entry_point_name);
    const auto tables = tables_.find(entry_point_name);
    if (entry_point == install_.entry_points.end() || tables == tables_.end()) continue;
    const bool tls = element.options.tls || (!internal && entry_point->second.http.tls);
    if (tls) {
      const std::string& options =
          element.options.tls ? element.options.tls->options : entry_point->second.http.tls->options;
      if (!element.broken() && !compiler_.site_.options(options))
        element.break_off(
            model::ReasonKind::MissingReference,
            fmt::format("the TLS options \"{}\" cannot be used", options.empty() ? "default" : options));
      tables->second.wishes.push_back({name, rule->hosts().named, options.empty() ? "default" : options});
    }
    exchange::Route made = route(name, element, entry_point_name, entry_point->second);
    auto& routes = tls ? tables->second.secure_routes : tables->second.plain_routes;
    auto& builder = tls ? tables->second.secure : tables->second.plain;
    builder.add(*rule, standing, static_cast<std::uint32_t>(routes.size()));
    routes.push_back(std::move(made));
  }
}

void RouteCompiler::run() {
  for (const auto& [name, entry_point] : out_.entry_points) tables_.try_emplace(name);
  defaults_ = install_.default_entry_points(false);
  std::uint64_t order = 0;
  // Of routers with equal rule and priority, those that their provider flagged as shadowed come later.
  constexpr std::uint64_t kShadowed = std::uint64_t{1} << 32;
  for (auto& [name, element] : dynamic_.http.routers) {
    const bool shadowed = std::ranges::find(element.reasons, model::ReasonKind::Shadowed,
                                            &model::Reason::kind) != element.reasons.end();
    add(name, element, order++ + (shadowed ? kShadowed : 0));
  }
  for (auto& [name, compiled] : out_.entry_points) {
    Tables& tables = tables_.find(name)->second;
    compiled.entry.plain.router = std::move(tables.plain).build();
    compiled.entry.plain.routes = std::move(tables.plain_routes);
    compiled.entry.secure.router = std::move(tables.secure).build();
    compiled.entry.secure.routes = std::move(tables.secure_routes);
    const bool wants_tls = install_.entry_points.at(name).http.tls || !compiled.entry.secure.routes.empty();
    compiled.tls_only = wants_tls && compiled.entry.plain.routes.empty();
    std::vector<tls::Dispute> disputes;
    compiled.entry.tls_hosts = compiler_.site_.hosts(tables.wishes, disputes);
    for (const tls::Dispute& dispute : disputes)
      for (const std::string& router : dispute.routers)
        dynamic_.http.routers.find(router)->second.warn(model::ReasonKind::Conflict, dispute.what);
  }
}

}  // namespace fairlead::runtime
