#include "engine/runtime/tcp_route_compiler.h"

#include "engine/model/merge.h"
#include "engine/routing/rule_parser.h"

#include <fmt/format.h>

#include <algorithm>

namespace fairlead::runtime {

std::shared_ptr<const routing::Rule> TcpRouteCompiler::rule(const model::TcpRouter& router,
                                                            std::string& problem) {
  const std::string& wanted = router.rule_syntax.empty() || router.rule_syntax == "default"
                                  ? install_.core.default_rule_syntax
                                  : router.rule_syntax;
  const routing::Syntax syntax = wanted == "v2" ? routing::Syntax::V2 : routing::Syntax::V3;
  const std::string key = (syntax == routing::Syntax::V2 ? "tcp2" : "tcp3") + router.rule;
  if (const auto now = compiler_.rules_.find(key); now != compiler_.rules_.end()) return now->second;
  if (const auto before = compiler_.rules_before_.find(key); before != compiler_.rules_before_.end())
    return compiler_.rules_[key] = before->second;
  auto parsed = routing::parse_rule(router.rule, routing::Protocol::Tcp, syntax);
  if (!parsed) {
    problem = fmt::format("rule: {}", parsed.error().what);
    return nullptr;
  }
  return compiler_.rules_[key] = std::make_shared<const routing::Rule>(std::move(*parsed));
}

// A router that cannot be used keeps its place: its connections are closed, never given to another.
tcp::RoutePtr TcpRouteCompiler::route(const std::string& name, Element& element) {
  auto made = std::make_shared<tcp::Route>();
  made->name = name;
  const model::TcpRouter& options = element.options;
  if (options.tls) {
    made->passthrough = options.tls->passthrough;
    if (!made->passthrough && !element.broken()) {
      made->options = compiler_.site_.raw_options(options.tls->options);
      if (!made->options)
        element.break_off(model::ReasonKind::MissingReference,
                          compiler_.site_.unusable(options.tls->options));
    }
  }
  for (const std::string& wanted : options.middlewares) {
    auto middleware = services_.middleware(wanted);
    if (middleware)
      made->middlewares.push_back(std::move(middleware));
    else if (!element.broken())
      element.break_off(model::ReasonKind::MissingReference,
                        fmt::format("the TCP middleware \"{}\" cannot be used", wanted));
  }
  made->service = services_.service(options.service);
  if (!made->service && !element.broken())
    element.break_off(model::ReasonKind::MissingReference,
                      fmt::format("the TCP service \"{}\" cannot be used", options.service));
  for (const model::Reason& reason : element.reasons)
    if (reason.breaks) made->broken += (made->broken.empty() ? "" : "; ") + reason.text;
  return made;
}

void TcpRouteCompiler::add(const std::string& name, Element& element, std::uint64_t order) {
  std::string problem;
  const auto parsed = rule(element.options, problem);
  if (!parsed) {
    if (!element.broken()) element.break_off(model::ReasonKind::BadOption, problem);
    return;
  }
  for (const std::string& notice : parsed->notices) element.warn(model::ReasonKind::BadOption, notice);
  std::int64_t priority = parsed->default_priority();
  if (auto effective = routing::effective_priority(*parsed, element.options.priority))
    priority = *effective;
  else if (!element.broken())
    element.break_off(model::ReasonKind::BadOption, "priority: " + effective.error().what);
  const std::uint32_t precedence = install_.providers.precedence_of(model::split(name).provider);
  const routing::Standing standing{priority, precedence, order};
  const tcp::RoutePtr made = route(name, element);
  for (const std::string& entry_point :
       element.options.entry_points.empty() ? defaults_ : element.options.entry_points) {
    const auto found = tables_.find(entry_point);
    if (found == tables_.end()) continue;
    Table& table = found->second;
    Rivals& rivals = element.options.tls ? table.tls_rivals : table.plain_rivals;
    rivals.add(name, element.options.rule, standing, element.reasons);
    if (element.options.tls) {
      table.builder.add_tls(*parsed, standing, static_cast<std::uint32_t>(table.tls.size()));
      table.tls.push_back(made);
    } else {
      table.builder.add_plain(*parsed, standing, static_cast<std::uint32_t>(table.plain.size()));
      table.plain.push_back(made);
    }
  }
}

void TcpRouteCompiler::run(const RouteCompiler& http) {
  for (const auto& [name, entry_point] : out_.entry_points) tables_.try_emplace(name);
  defaults_ = install_.default_entry_points(false);
  std::uint64_t order = 0;
  // Of routers with equal rule and priority, those that their provider flagged as shadowed come later.
  constexpr std::uint64_t kShadowed = std::uint64_t{1} << 32;
  for (auto& [name, element] : dynamic_.tcp.routers) {
    const bool shadowed = std::ranges::find(element.reasons, model::ReasonKind::Shadowed,
                                            &model::Reason::kind) != element.reasons.end();
    add(name, element, order++ + (shadowed ? kShadowed : 0));
  }
  for (auto& [name, compiled] : out_.entry_points) {
    Table& table = tables_.find(name)->second;
    // Which of the names it is does not matter: the options come from the table of hosts.
    for (const tls::Wish& wish : http.wishes(name)) {
      for (const std::string& host : wish.hosts) table.builder.add_https_host(host, 0);
      if (wish.hosts.empty()) table.builder.set_https_catch_all(0);
    }
    compiled.tcp.router = std::move(table.builder).build();
    compiled.tcp.plain = std::move(table.plain);
    compiled.tcp.tls = std::move(table.tls);
  }
}

}  // namespace fairlead::runtime
