#include "engine/runtime/udp_compiler.h"

#include "engine/runtime/obstacle.h"
#include "engine/runtime/phase.h"

#include <fmt/format.h>

#include <algorithm>

namespace fairlead::runtime {
namespace {

std::string text_of(const std::vector<model::Reason>& reasons) {
  std::string text;
  for (const model::Reason& reason : reasons)
    if (reason.breaks) text += (text.empty() ? "" : "; ") + reason.text;
  return text;
}

}  // namespace

void UdpCompiler::run() {
  for (const auto& [name, options] : install_.entry_points) {
    const auto address = model::parse_listen_address(options.address);
    if (!address || !address->udp) continue;
    auto nobody = std::make_shared<udp::Route>();
    nobody->timeout = options.udp.timeout;
    out_.udp_routes[name] = std::move(nobody);
  }
  for (const auto& [name, element] : dynamic_.udp.services) service(name);
  for (auto& [name, element] : dynamic_.udp.routers) add(name, element);
}

udp::ServicePtr UdpCompiler::service(const std::string& name) {
  // Validation has refused cycles; should one get through, it ends at the null that stands here meanwhile.
  const auto [at, is_new] = services_.try_emplace(name);
  if (!is_new) return at->second;
  const auto found = dynamic_.udp.services.find(name);
  if (found == dynamic_.udp.services.end() || found->second.broken()) return nullptr;
  udp::ServicePtr made = build(name, found->second);
  return services_[name] = std::move(made);
}

udp::ServicePtr UdpCompiler::build(const std::string& name, model::Element<model::UdpService>& element) {
  if (element.options.load_balancer) return load_balancer(name, element);
  std::vector<udp::Weighted::Child> children;
  for (const model::WeightedChild& child : element.options.weighted->services) {
    udp::ServicePtr made = service(child.name);
    if (!made) {
      element.break_off(model::ReasonKind::MissingReference,
                        fmt::format("the service \"{}\" cannot be used", child.name));
      return nullptr;
    }
    children.push_back(
        {std::move(made), static_cast<int>(std::clamp<std::int64_t>(child.weight, 0, 1'000'000))});
  }
  return std::make_shared<udp::Weighted>(std::move(children),
                                         compiler_.carry_over_.get<upstream::ServiceState>(name + "@udp", 0));
}

udp::ServicePtr UdpCompiler::load_balancer(const std::string& name,
                                           model::Element<model::UdpService>& element) {
  const auto known = dynamic_.udp.standings.find(name);
  const std::vector<model::Standing> standings =
      known == dynamic_.udp.standings.end() ? std::vector<model::Standing>() : known->second;
  std::vector<udp::ServerPtr> servers;
  for (const model::UdpServer& server : element.options.load_balancer->servers) {
    if (server.address.empty()) continue;  // a container without an address that may be used
    auto parsed = udp::Server::parse(server.address);
    if (!parsed) {
      element.break_off(model::ReasonKind::BadOption,
                        fmt::format("loadBalancer.servers: {}", parsed.error().what));
      return nullptr;
    }
    auto made = std::make_shared<udp::Server>(std::move(*parsed));
    made->state = compiler_.carry_over_.get<udp::ServerState>(fmt::format("{}|{}", name, server.address), 0);
    upstream::Phase phase = upstream::Phase::Ready;
    for (const model::Standing& standing : standings)
      if (standing.url == server.address) phase = phase_of(standing.state, standing.reasons);
    made->state->phase.store(phase, std::memory_order_relaxed);
    servers.push_back(std::move(made));
  }
  std::string trouble;
  for (const model::Standing& standing : standings)
    if (standing.state != model::ServerState::Ready || !standing.reasons.empty())
      trouble += (trouble.empty() ? "" : "; ") + obstacle_of(standing).full_text;
  if (servers.empty() && trouble.empty()) trouble = fmt::format("service {} has no server", name);
  auto made = std::make_shared<udp::LoadBalancer>(
      std::move(servers), compiler_.carry_over_.get<upstream::ServiceState>(name + "@udp", 0),
      std::move(trouble));
  out_.udp_balancers.push_back(made);
  return made;
}

void UdpCompiler::add(const std::string& name, model::Element<model::UdpRouter>& element) {
  const std::vector<std::string> wanted = element.options.entry_points.empty()
                                              ? install_.default_entry_points(true)
                                              : element.options.entry_points;
  for (const std::string& entry_point : wanted) {
    const auto at = out_.udp_routes.find(entry_point);
    if (at == out_.udp_routes.end()) continue;
    const std::string before = at->second->router;
    if (!before.empty() && before != name) {
      model::Element<model::UdpRouter>& other = dynamic_.udp.routers.find(before)->second;
      // What stopped must not keep an entry point from what runs.
      const bool yields = !may_serve(element) && may_serve(other) && !other.broken();
      (yields ? element : other)
          .warn(model::ReasonKind::Shadowed,
                fmt::format("the UDP entry point {} has one router, and that is {}", entry_point,
                            yields ? before : name),
                "give each UDP router an entry point of its own");
      if (yields) continue;
    }
    at->second = route(name, element, install_.entry_points.at(entry_point));
  }
}

// Only of containers it is known that none can serve.
bool UdpCompiler::may_serve(const model::Element<model::UdpRouter>& router) const {
  const auto known = dynamic_.udp.standings.find(router.options.service);
  return known == dynamic_.udp.standings.end() ||
         std::ranges::any_of(known->second, [](const model::Standing& standing) {
           return standing.state == model::ServerState::Ready && !standing.url.empty();
         });
}

std::shared_ptr<const udp::Route> UdpCompiler::route(const std::string& name,
                                                     model::Element<model::UdpRouter>& element,
                                                     const model::EntryPoint& entry_point) {
  auto made = std::make_shared<udp::Route>();
  made->router = name;
  made->timeout = entry_point.udp.timeout;
  if (!element.broken()) {
    made->service = service(element.options.service);
    const auto target = dynamic_.udp.services.find(element.options.service);
    if (!made->service) {
      model::Reason reason{
          model::ReasonKind::MissingReference,
          fmt::format(
              "service {}: {}", element.options.service,
              target == dynamic_.udp.services.end() ? "does not exist" : text_of(target->second.reasons)),
          {},
          true};
      if (std::ranges::find(element.reasons, reason) == element.reasons.end())
        element.reasons.push_back(std::move(reason));
    }
  }
  if (!made->service) made->trouble = text_of(element.reasons);
  return made;
}

}  // namespace fairlead::runtime
