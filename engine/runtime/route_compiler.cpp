#include "engine/runtime/route_compiler.h"

#include "engine/base/strings.h"
#include "engine/exchange/child_routes.h"
#include "engine/exchange/tracing.h"
#include "engine/model/merge.h"
#include "engine/model/served_routers.h"
#include "engine/runtime/broken.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

namespace fairlead::runtime {
namespace {

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

// FNV-1-64 of the router's name, as Traefik writes it; empty unless the rule is the default one.
std::string loop_token(const std::string& name, const model::Element<model::HttpRouter>& element) {
  if (!element.by_default_rule) return {};
  std::uint64_t hash = 14695981039346656037ULL;
  for (const char c : name) hash = (hash * 1099511628211ULL) ^ static_cast<unsigned char>(c);
  return fmt::format("{:x}", hash);
}

// Of routers with equal rule and priority, those that their provider flagged as shadowed come later.
std::uint64_t behind_if_shadowed(const model::Element<model::HttpRouter>& element, std::uint64_t order) {
  constexpr std::uint64_t kShadowed = std::uint64_t{1} << 32;
  const bool shadowed = std::ranges::find(element.reasons, model::ReasonKind::Shadowed,
                                          &model::Reason::kind) != element.reasons.end();
  return order + (shadowed ? kShadowed : 0);
}

}  // namespace

exchange::Route RouteCompiler::route(const std::string& name, model::Element<model::HttpRouter>& element,
                                     const std::string& entry_point_name,
                                     const model::EntryPoint& entry_point) {
  const model::HttpRouter& options = element.options;
  const bool internal = model::split(name).provider == "internal";
  exchange::Route made;
  made.name = name;
  const auto& entry_points = options.entry_points.empty() ? defaults_ : options.entry_points;
  const bool takes_middlewares = model::takes_middlewares(name, options);
  if (takes_middlewares && entry_points.size() > 1 && model::adds_to_routers(entry_point))
    made.name = model::served_name(entry_point_name, name);
  made.service_name = options.service;
  // A user's router to api@internal is as internal as our own.
  made.internal = internal || model::split(options.service).provider == "internal";
  std::vector<std::string> middlewares;
  if (takes_middlewares) middlewares = model::middlewares_for(entry_point, model::split(name).provider);
  std::vector<model::Reason> missing;  // at this entry point alone
  if (entry_points.size() > 1) services_.middlewares(middlewares, missing);
  if (missing.empty())
    made.handler = handler(name, element, std::move(middlewares));
  else
    made.handler = only_here(name, element, entry_point_name, std::move(missing));
  if (takes_middlewares) made.encoded = encoded_of(entry_point);
  const auto& watch = options.observability;
  made.log = watch && watch->access_logs ? *watch->access_logs : entry_point.observability.access_logs;
  made.metrics = watch && watch->metrics ? *watch->metrics : entry_point.observability.metrics;
  made.traces = watch && watch->tracing ? *watch->tracing : entry_point.observability.tracing;
  made.detailed_traces = trace_verbosity(options, entry_point) == kDetailed;
  made.loop_token = loop_token(made.name, element);
  return made;
}

// A router that cannot be used at one of its entry points answers so there and serves on at the others.
std::shared_ptr<const exchange::Service> RouteCompiler::only_here(const std::string& name,
                                                                  model::Element<model::HttpRouter>& element,
                                                                  const std::string& entry_point,
                                                                  std::vector<model::Reason> reasons) {
  const std::string where = fmt::format("entry point `{}`: ", entry_point);
  const bool is_told = std::ranges::any_of(
      element.reasons, [&](const model::Reason& reason) { return reason.text.starts_with(where); });
  for (const model::Reason& reason : reasons)
    if (!is_told) element.warn(reason.kind, where + reason.text, reason.hint);
  return std::make_shared<Broken>(fmt::format("router {}", name), reasons);
}

std::shared_ptr<const exchange::Service> RouteCompiler::handler(const std::string& name,
                                                                model::Element<model::HttpRouter>& element,
                                                                std::vector<std::string> middlewares) {
  if (element.broken()) return std::make_shared<Broken>(fmt::format("router {}", name), element.reasons);
  const model::HttpRouter& options = element.options;
  middlewares.insert(middlewares.end(), options.middlewares.begin(), options.middlewares.end());
  const ServiceCompiler::Handler made = options.service.empty()
                                            ? services_.chain(middlewares, children(name))
                                            : services_.chain(middlewares, options.service);
  for (const model::Reason& reason : made.reasons)
    if (std::ranges::find(element.reasons, reason) == element.reasons.end())
      element.reasons.push_back(reason);
  if (!services_.detailed_traces()) return made.service;
  return std::make_shared<exchange::TracedService>(name, options.rule, options.service, made.service);
}

std::shared_ptr<const exchange::Service> RouteCompiler::children(const std::string& parent) {
  if (const auto made = branches_.find(parent); made != branches_.end()) return made->second;
  exchange::RouteTable table;
  routing::HttpRouter::Builder builder;
  Rivals rivals;
  std::uint64_t order = 0;
  for (const std::string& name : below_[parent]) {
    model::Element<model::HttpRouter>& element = dynamic_.http.routers.find(name)->second;
    const auto its_rule = rule(element);
    if (!its_rule) continue;
    const auto place = standing(name, element, *its_rule, behind_if_shadowed(element, order++));
    exchange::Route made;
    made.name = name;
    made.service_name = element.options.service;
    made.handler = handler(name, element, {});
    made.loop_token = loop_token(name, element);
    builder.add(*its_rule, place, static_cast<std::uint32_t>(table.routes.size()));
    rivals.add(name, element.options.rule, place, element.reasons);
    table.routes.push_back(std::move(made));
  }
  table.router = std::move(builder).build();
  return branches_[parent] = std::make_shared<exchange::ChildRoutes>(std::move(table));
}

std::shared_ptr<const routing::Rule> RouteCompiler::rule(model::Element<model::HttpRouter>& element) {
  std::string problem;
  auto made = compiler_.rule(element.options, problem, install_);
  const auto tell = [&element](model::Reason reason) {
    // A router below several others comes here once for each.
    if (std::ranges::find(element.reasons, reason) == element.reasons.end())
      element.reasons.push_back(std::move(reason));
  };
  if (!made && !(element.options.rule.empty() && element.broken()))
    tell({model::ReasonKind::BadOption, problem, {}, true});
  if (made)
    for (const std::string& notice : made->notices) tell({model::ReasonKind::BadOption, notice, {}, false});
  return made;
}

routing::Standing RouteCompiler::standing(const std::string& name, model::Element<model::HttpRouter>& element,
                                          const routing::Rule& rule, std::uint64_t order) const {
  const std::string_view provider = model::split(name).provider;
  std::int64_t priority = element.options.priority;
  if (provider != "internal") {
    auto effective = routing::effective_priority(rule, priority);
    if (!effective) {
      if (!element.broken())
        element.break_off(model::ReasonKind::BadOption, "priority: " + effective.error().what);
      priority = rule.default_priority();
    } else {
      priority = *effective;
    }
  } else if (priority == 0) {
    priority = rule.default_priority();
  }
  return {priority, install_.providers.precedence_of(provider), order};
}

void RouteCompiler::add(const std::string& name, model::Element<model::HttpRouter>& element,
                        std::uint64_t order) {
  if (!element.options.parent_refs.empty()) return;  // reachable through its parents only
  const auto rule = this->rule(element);
  if (!rule) return;
  const routing::Standing standing = this->standing(name, element, *rule, order);
  const std::vector<std::string>& wanted =
      element.options.entry_points.empty() ? defaults_ : element.options.entry_points;
  bool told_of_options = false;
  for (const std::string& entry_point_name : wanted) {
    const auto entry_point = install_.entry_points.find(entry_point_name);
    const auto tables = tables_.find(entry_point_name);
    if (entry_point == install_.entry_points.end() || tables == tables_.end()) continue;
    const bool tls =
        element.options.tls || (entry_point->second.http.tls && model::takes_tls(name, element.options));
    std::optional<model::Reason> fault;
    if (tls) {
      const std::string options = element.options.tls ? element.options.tls->options
                                                      : model::tls_options_for(*entry_point->second.http.tls,
                                                                               model::split(name).provider);
      if (!element.broken() && !compiler_.site_.options(options)) {
        std::string said = compiler_.site_.unusable(options);
        if (element.options.tls || wanted.size() == 1)
          element.break_off(model::ReasonKind::MissingReference, std::move(said));
        else
          fault = {model::ReasonKind::MissingReference, std::move(said), {}, true};
      }
      routing::Rule::Hosts hosts = rule->hosts();
      if (hosts.named.empty() && !options.empty() && options != "default" &&
          model::split(name).provider != "internal" && !std::exchange(told_of_options, true))
        element.warn(model::ReasonKind::Ineffective,
                     "tls.options need a Host() in the rule, not under `!`; `default` is used");
      tables->second.wishes.push_back({name, std::move(hosts.named), options.empty() ? "default" : options});
    }
    exchange::Route made = route(name, element, entry_point_name, entry_point->second);
    if (fault) made.handler = only_here(name, element, entry_point_name, {*fault});
    auto& routes = tls ? tables->second.secure_routes : tables->second.plain_routes;
    auto& builder = tls ? tables->second.secure : tables->second.plain;
    builder.add(*rule, standing, static_cast<std::uint32_t>(routes.size()));
    auto& rivals = tls ? tables->second.secure_rivals : tables->second.plain_rivals;
    if (model::split(name).provider != "internal")
      rivals.add(name, element.options.rule, standing, element.reasons);
    routes.push_back(std::move(made));
  }
}

void RouteCompiler::run() {
  for (const auto& [name, entry_point] : out_.entry_points) tables_.try_emplace(name);
  defaults_ = install_.default_entry_points(false);
  for (const auto& [name, element] : dynamic_.http.routers)
    for (const std::string& parent : element.options.parent_refs) {
      auto& below = below_[parent];
      if (below.empty() || below.back() != name) below.push_back(name);  // it may name a parent twice
    }
  std::uint64_t order = 0;
  for (auto& [name, element] : dynamic_.http.routers)
    add(name, element, behind_if_shadowed(element, order++));
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
