#include "engine/runtime/service_compiler.h"

#include "engine/base/strings.h"
#include "engine/exchange/chain.h"
#include "engine/exchange/tracing.h"
#include "engine/middleware/registry.h"
#include "engine/model/hash.h"
#include "engine/model/merge.h"
#include "engine/runtime/broken.h"
#include "engine/runtime/obstacle.h"
#include "engine/runtime/phase.h"
#include "engine/runtime/sticky_cookie.h"
#include "engine/service/health_check.h"
#include "engine/service/load_balancer.h"

#include <fmt/format.h>

#include <algorithm>

namespace fairlead::runtime {
namespace {

using exchange::Middleware;
using exchange::Service;

// Servers keep their health while the checks are the same.
std::uint64_t checks_key(const model::LoadBalancer& options) {
  const std::uint64_t active = options.health_check ? model::hash_of(*options.health_check) : 0;
  const std::uint64_t passive =
      options.passive_health_check ? model::hash_of(*options.passive_health_check) : 0;
  return active ^ (passive * 31);
}

// Checks have their own time for a dial, so they share connections only with checks that have the same.
std::shared_ptr<const upstream::TransportOptions> for_checks(const upstream::TransportOptions& options,
                                                             Duration timeout) {
  auto own = std::make_shared<upstream::TransportOptions>(options);
  own->dial_timeout = timeout;
  own->key ^= static_cast<std::uint64_t>(timeout.count());
  return own;
}

bool same(const upstream::ServerSet& a, const upstream::ServerSet& b) {
  const auto same_server = [](const upstream::Server& x, const upstream::Server& y) {
    return x.address.url == y.address.url && x.weight == y.weight && x.preserve_path == y.preserve_path &&
           x.state == y.state;
  };
  return a.holds == b.holds && a.sticky_hash == b.sticky_hash && a.transport->key == b.transport->key &&
         std::ranges::equal(a.servers, b.servers, same_server) && a.obstacles == b.obstacles;
}

}  // namespace

void note_usable(const upstream::ServerSet& set) {
  const bool now = set.any_usable();
  const bool before = set.state->had_usable.exchange(now, std::memory_order_relaxed);
  // Only a departure brings a successor: what is paused or unhealthy comes back by itself, or not.
  const bool left =
      set.servers.empty() || std::ranges::any_of(set.servers, [](const upstream::Server& server) {
        const upstream::Phase phase = server.state->phase.load(std::memory_order_relaxed);
        return phase == upstream::Phase::Draining || phase == upstream::Phase::Gone;
      });
  if (before && !now && left)
    set.state->last_left.store(std::chrono::steady_clock::now().time_since_epoch().count(),
                               std::memory_order_relaxed);
  else if (!before && now)
    set.state->last_left.store(0, std::memory_order_relaxed);  // the successor came
}

std::shared_ptr<const Service> ServiceCompiler::service(const std::string& name) {
  if (const auto built = services_.find(name); built != services_.end()) return built->second;
  // Validation has refused cycles; should one get through, it ends here.
  if (!building_.insert(name).second)
    return std::make_shared<Broken>(fmt::format("service {}: refers to itself", name),
                                    std::vector<model::Reason>{});
  auto made = build(name);
  building_.erase(name);
  return services_[name] = std::move(made);
}

std::shared_ptr<const Service> ServiceCompiler::build(const std::string& name) {
  const model::QualifiedName parts = model::split(name);
  if (parts.provider == "internal") {
    if (auto own = compiler_.internal_(parts.name)) return own;
  }
  const auto found = dynamic_.http.services.find(name);
  if (found == dynamic_.http.services.end())
    return std::make_shared<Broken>(
        fmt::format("the service \"{}\" does not exist", name),
        std::vector<model::Reason>{{model::ReasonKind::MissingReference, "no such service", {}, true}});
  model::Element<model::HttpService>& element = found->second;
  if (element.broken()) return std::make_shared<Broken>(fmt::format("service {}", name), element.reasons);
  auto inner = element.options.load_balancer ? load_balancer(name, element) : composite(name, element);
  if (element.broken()) return std::make_shared<Broken>(fmt::format("service {}", name), element.reasons);
  if (element.options.middlewares.empty()) return inner;
  std::vector<std::shared_ptr<const Middleware>> wrapped;
  for (const std::string& middleware_name : element.options.middlewares) {
    auto made = middleware(middleware_name);
    if (!made) {
      element.break_off(model::ReasonKind::MissingReference,
                        fmt::format("the middleware \"{}\" cannot be used", middleware_name));
      return std::make_shared<Broken>(fmt::format("service {}", name), element.reasons);
    }
    wrapped.push_back(std::move(made));
  }
  return std::make_shared<exchange::Chain>(std::move(wrapped), std::move(inner), "service " + name);
}

std::shared_ptr<const Service> ServiceCompiler::load_balancer(const std::string& name,
                                                              model::Element<model::HttpService>& element) {
  auto set = server_set(name, element);
  if (!set) return nullptr;
  const upstream::SetId id = compiler_.set_id(name);
  const bool known = previous_ && previous_->sets.contains(name);
  if (known && same(*previous_->sets.find(name)->second, *set))
    set = previous_->sets.find(name)->second;  // workers have nothing to do
  else
    out_.changed_sets.emplace_back(id, set);
  out_.sets[name] = set;
  note_usable(*set);
  service::LoadBalancerOptions options;
  options.name = name;
  options.set = id;
  options.forward.pass_host_header = element.options.load_balancer->pass_host_header;
  // Chunks leave when they come; only what holds them back on the way (compress) has to be told.
  options.forward.flush_each =
      element.options.load_balancer->response_forwarding.flush_interval < schema::Duration::zero();
  options.hold.requests =
      static_cast<std::uint32_t>(std::min<std::int64_t>(install_.hold.requests, 1'000'000));
  options.hold.time = install_.hold.time;
  options.hold.after = install_.hold.after;
  if (options.hold.time <= Duration{} || options.hold.after <= Duration{}) options.hold.requests = 0;
  auto picker = service::make_picker(element.options.load_balancer->strategy);
  if (!picker) {
    element.break_off(model::ReasonKind::BadOption,
                      fmt::format("loadBalancer.strategy: unknown strategy \"{}\"",
                                  element.options.load_balancer->strategy),
                      "use wrr, p2c, hrw or leasttime");
    return nullptr;
  }
  statuses_[name] = std::make_shared<service::SetStatus>(id);
  plan_checks(name, id, set, *element.options.load_balancer);
  if (const auto& passive = element.options.load_balancer->passive_health_check)
    options.passive = {passive->failure_window, static_cast<std::size_t>(std::clamp<std::int64_t>(
                                                    passive->max_failed_attempts, 1, 10'000))};
  auto balancer = std::make_shared<service::LoadBalancer>(std::move(options), std::move(picker));
  if (!detailed_traces_) return balancer;
  return std::make_shared<exchange::TracedService>(name, std::move(balancer));
}

void ServiceCompiler::plan_checks(const std::string& name, upstream::SetId id,
                                  std::shared_ptr<const upstream::ServerSet> set,
                                  const model::LoadBalancer& options) {
  if (!options.health_check && !options.passive_health_check) return;
  auto plan = std::make_shared<service::HealthPlan>();
  plan->service = name;
  plan->id = id;
  plan->key = checks_key(options);
  plan->transport = set->transport;
  if (options.health_check && !set->transport->tls) {
    // Where there is none, a redirect into https is verified by the system's authorities.
    std::string ignored;
    plan->transport = transports_.transport(options.servers_transport, set->holds,
                                            TransportCompiler::Secure::WherePossible, ignored);
  }
  if (options.health_check) plan->transport = for_checks(*plan->transport, options.health_check->timeout);
  plan->set = std::move(set);
  plan->active = options.health_check;
  plan->passive = options.passive_health_check;
  out_.health_plans.push_back(std::move(plan));
}

std::shared_ptr<const upstream::ServerSet> ServiceCompiler::server_set(
    const std::string& name, model::Element<model::HttpService>& element) {
  const model::LoadBalancer& options = *element.options.load_balancer;
  auto set = std::make_shared<upstream::ServerSet>();
  set->service = name;
  set->state = compiler_.carry_over_.get<upstream::ServiceState>(name, 0);
  const std::string provider(model::split(name).provider);
  set->holds = provider == "docker" || provider == "swarm";
  const bool secure =
      std::ranges::any_of(options.servers,
                          [](const model::Server& server) { return istarts_with(server.url, "https://"); }) ||
      (options.health_check && options.health_check->scheme == "https");
  std::string problem;
  set->transport =
      transports_.transport(options.servers_transport, set->holds,
                            secure ? TransportCompiler::Secure::Yes : TransportCompiler::Secure::No, problem);
  if (!set->transport) {
    element.break_off(
        model::ReasonKind::MissingReference,
        fmt::format("the serversTransport \"{}\" cannot be used{}{}",
                    options.servers_transport.empty() ? "default@internal" : options.servers_transport,
                    problem.empty() ? "" : ": ", problem));
    return nullptr;
  }
  // A transport of the dynamic configuration tells it itself.
  if (!problem.empty() && !dynamic_.http.servers_transports.contains(options.servers_transport))
    element.warn(model::ReasonKind::BadOption,
                 fmt::format("serversTransport.{}; what the file said before is used", problem));
  const auto standings = dynamic_.http.standings.find(name);
  std::vector<int> weights;
  for (const model::Server& server : options.servers) {
    auto address = upstream::ServerAddress::parse(server.url);
    if (!address) {
      element.break_off(model::ReasonKind::BadOption,
                        fmt::format("loadBalancer.servers: {}", address.error().what));
      return nullptr;
    }
    upstream::Server compiled;
    compiled.address = std::move(*address);
    // Two choices know no weights: one of 0 shuts nobody out.
    compiled.weight =
        options.strategy == "p2c"
            ? 1
            : static_cast<int>(std::clamp<std::int64_t>(server.weight.value_or(1), 0, 1'000'000));
    compiled.preserve_path = server.preserve_path;
    compiled.state = compiler_.carry_over_.get<upstream::ServerState>(fmt::format("{}|{}", name, server.url),
                                                                      checks_key(options));
    upstream::Phase phase = upstream::Phase::Ready;
    if (standings != dynamic_.http.standings.end())
      for (const model::Standing& standing : standings->second)
        if (standing.url == server.url) phase = phase_of(standing.state, standing.reasons);
    compiled.state->phase.store(phase, std::memory_order_relaxed);
    weights.push_back(compiled.weight);
    set->servers.push_back(std::move(compiled));
  }
  set->schedule = upstream::make_schedule(weights);
  if (options.sticky && options.sticky->cookie) {
    std::vector<std::string> targets;
    // Who is never picked is kept by no cookie either.
    for (const upstream::Server& server : set->servers)
      targets.push_back(server.weight > 0 ? server.address.url : "");
    set->sticky = std::make_shared<upstream::Sticky>(name, sticky_cookie(*options.sticky->cookie), targets);
    set->sticky_hash = model::hash_of(*options.sticky);
  }
  if (standings != dynamic_.http.standings.end())
    for (const model::Standing& standing : standings->second)
      if (standing.state != model::ServerState::Ready || !standing.reasons.empty())
        set->obstacles.push_back(obstacle_of(standing));
  return set;
}

std::shared_ptr<const Middleware> ServiceCompiler::middleware(const std::string& name) {
  if (const auto made = middlewares_.find(name); made != middlewares_.end()) return made->second;
  auto made = make_middleware(name, {});
  return middlewares_[name] = std::move(made);
}

std::shared_ptr<const Middleware> ServiceCompiler::make_middleware(const std::string& name,
                                                                   std::vector<std::string> outer_chains) {
  const auto found = dynamic_.http.middlewares.find(name);
  if (found == dynamic_.http.middlewares.end() || found->second.broken()) return nullptr;
  model::Element<model::Middleware>& element = found->second;
  const middleware::Type* type = middleware::find(element.options.type);
  if (!type) {
    element.break_off(model::ReasonKind::BadOption,
                      fmt::format("no middleware type \"{}\"", element.options.type));
    return nullptr;
  }
  const std::string provider(model::split(name).provider);
  middleware::Making making{
      .name = name,
      .carry_over = compiler_.carry_over_,
      .service = [this, provider](std::string_view wanted) -> std::shared_ptr<const Service> {
        const std::string qualified = model::qualify(wanted, provider);
        const auto at = dynamic_.http.services.find(qualified);
        const bool internal = model::split(qualified).provider == "internal";
        if (!internal && (at == dynamic_.http.services.end() || at->second.broken())) return nullptr;
        return service(qualified);
      },
      .middleware = {},
      .outer_chains = std::move(outer_chains)};
  making.middleware = [this, provider,
                       &making](std::string_view wanted) -> Configured<middleware::MiddlewarePtr> {
    const std::string qualified = model::qualify(wanted, provider);
    if (std::ranges::find(making.outer_chains, qualified) != making.outer_chains.end() ||
        qualified == making.name)
      return misconfigured("middlewares", fmt::format("\"{}\" contains itself", qualified));
    std::vector<std::string> outer = making.outer_chains;
    outer.push_back(making.name);
    auto made = make_middleware(qualified, std::move(outer));
    if (!made)
      return misconfigured("middlewares", fmt::format("the middleware \"{}\" cannot be used", qualified));
    return made;
  };
  Configured<middleware::MiddlewarePtr> made = type->make(element.options.options, making);
  for (const schema::Problem& notice : making.notices) {
    const bool is_value = notice.kind == schema::Problem::Kind::BadValue;
    model::Reason reason{
        is_value ? model::ReasonKind::BadOption : model::ReasonKind::Deprecated, notice.text(), {}, false};
    // A member of several chains is made once for each.
    if (std::ranges::find(element.reasons, reason) == element.reasons.end())
      element.reasons.push_back(std::move(reason));
  }
  if (made) {
    // The members of a chain have theirs already.
    if (!detailed_traces_ || !(*made)->members().empty()) return std::move(*made);
    return std::make_shared<exchange::TracedMiddleware>(span_name(type->name), name, std::move(*made));
  }
  const std::string where = made.error().path.empty() ? std::string(type->name)
                                                      : fmt::format("{}.{}", type->name, made.error().path);
  element.break_off(model::ReasonKind::BadOption, fmt::format("{}: {}", where, made.error().what));
  return nullptr;
}

std::vector<std::shared_ptr<const Middleware>> ServiceCompiler::middlewares(
    const std::vector<std::string>& names, std::vector<model::Reason>& missing) {
  std::vector<std::shared_ptr<const Middleware>> out;
  std::size_t count = 0;  // with the members of groups
  for (const std::string& name : names) {
    auto made = middleware(name);
    if (made) {
      count += std::max<std::size_t>(1, made->members().size());
      if (count > exchange::kMostMiddlewares) {
        missing.push_back({model::ReasonKind::BadOption,
                           fmt::format("more than {} middlewares in a row", exchange::kMostMiddlewares),
                           {},
                           true});
        return out;
      }
      out.push_back(std::move(made));
      continue;
    }
    const auto element = dynamic_.http.middlewares.find(name);
    if (element == dynamic_.http.middlewares.end())
      missing.push_back({model::ReasonKind::MissingReference,
                         fmt::format("middleware \"{}\" does not exist", name),
                         {},
                         true});
    else
      for (const model::Reason& reason : element->second.reasons)
        if (reason.breaks)
          missing.push_back(
              {reason.kind, fmt::format("middleware {}: {}", name, reason.text), reason.hint, true});
  }
  return out;
}

ServiceCompiler::Handler ServiceCompiler::chain(const std::vector<std::string>& names,
                                                std::shared_ptr<const Service> target) {
  Handler handler;
  auto made = middlewares(names, handler.reasons);
  if (!handler.reasons.empty())
    handler.service = std::make_shared<Broken>("a middleware of the router is broken", handler.reasons);
  else if (made.empty())
    handler.service = std::move(target);
  else
    handler.service = std::make_shared<exchange::Chain>(std::move(made), std::move(target));
  return handler;
}

const ServiceCompiler::Handler& ServiceCompiler::chain(const std::vector<std::string>& names,
                                                       const std::string& service_name) {
  std::string key = service_name;
  for (const std::string& name : names) key += '\n' + name;
  if (const auto made = chains_.find(key); made != chains_.end()) return made->second;
  Handler handler = chain(names, service(service_name));
  const auto element = dynamic_.http.services.find(service_name);
  if (handler.reasons.empty() && element != dynamic_.http.services.end())
    for (const model::Reason& reason : element->second.reasons)
      if (reason.breaks)
        handler.reasons.push_back(
            {reason.kind, fmt::format("service {}: {}", service_name, reason.text), reason.hint, true});
  return chains_[key] = std::move(handler);
}

void ServiceCompiler::finish() {
  for (const auto& [name, element] : dynamic_.http.middlewares) middleware(name);
  for (const auto& [name, element] : dynamic_.http.services) service(name);
  transports_.finish();
  if (!previous_) return;
  // Sets that are gone are taken from the workers.
  for (const auto& [name, set] : previous_->sets)
    if (!out_.sets.contains(name)) out_.changed_sets.emplace_back(compiler_.set_id(name), nullptr);
}

}  // namespace fairlead::runtime
