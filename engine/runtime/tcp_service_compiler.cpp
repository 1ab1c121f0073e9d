#include "engine/runtime/tcp_service_compiler.h"

#include "engine/base/strings.h"
#include "engine/model/hash.h"
#include "engine/model/merge.h"
#include "engine/runtime/obstacle.h"
#include "engine/runtime/phase.h"
#include "engine/runtime/service_compiler.h"
#include "engine/runtime/transport_compiler.h"
#include "engine/tcp/health_check.h"
#include "engine/tcp/load_balancer.h"
#include "engine/tcp/registry.h"
#include "engine/tcp/weighted.h"

#include <fmt/format.h>

#include <algorithm>

namespace fairlead::runtime {
namespace {

constexpr auto kDefaultKeepAlive = std::chrono::seconds(15);

// What outlives snapshots is kept apart from that of HTTP services of the same name: no provider is called
// so.
std::string key_of(const std::string& name) { return name + "@tcp"; }

// "10.0.0.2:5432", "[::1]:5432", "db:5432"; validation has seen that both parts are there.
Configured<upstream::ServerAddress> parse_address(const std::string& text) {
  upstream::ServerAddress address;
  address.url = text;
  address.host_port = text;
  const std::size_t colon = text.rfind(':');
  const auto port = colon == std::string::npos ? std::nullopt : parse_digits(text.substr(colon + 1));
  if (!port || *port == 0 || *port > 65535)
    return misconfigured("address", fmt::format("no valid port in {}", fairlead::quoted(text)));
  address.port = static_cast<std::uint16_t>(*port);
  address.host = text.substr(0, colon);
  if (address.host.starts_with('[') && address.host.ends_with(']'))
    address.host = address.host.substr(1, address.host.size() - 2);
  if (address.host.empty())
    return misconfigured("address", fmt::format("no host in {}", fairlead::quoted(text)));
  address.ip = net::Ip::parse(address.host);
  return address;
}

bool serve_alike(const upstream::ServerSet& a, const upstream::ServerSet& b) {
  const auto same_server = [](const upstream::Server& x, const upstream::Server& y) {
    return x.address.url == y.address.url && x.tls == y.tls && x.state == y.state;
  };
  return a.holds == b.holds && std::ranges::equal(a.servers, b.servers, same_server) &&
         a.obstacles == b.obstacles;
}

// Stands for the options of TLS toward servers.
std::uint64_t tls_key(const model::TcpClientTls& options) {
  return fnv1a("tcp tls") ^ model::hash_of(options);
}

}  // namespace

std::shared_ptr<const tcp::Service> TcpServiceCompiler::service(const std::string& name) {
  if (const auto built = services_.find(name); built != services_.end()) return built->second;
  const auto found = dynamic_.tcp.services.find(name);
  // Validation has refused cycles; should one get through, it ends here.
  if (found == dynamic_.tcp.services.end() || !building_.insert(name).second) return nullptr;
  auto made = found->second.broken() ? nullptr : build(name, found->second);
  building_.erase(name);
  return services_[name] = std::move(made);
}

std::shared_ptr<const tcp::Service> TcpServiceCompiler::build(const std::string& name, Element& element) {
  return element.options.load_balancer ? load_balancer(name, element) : weighted(name, element);
}

std::shared_ptr<const tcp::Service> TcpServiceCompiler::load_balancer(const std::string& name,
                                                                      Element& element) {
  const model::TcpLoadBalancer& options = *element.options.load_balancer;
  const std::uint64_t checks = options.health_check ? model::hash_of(*options.health_check) : 0;
  auto set = server_set(name, element, checks);
  if (!set) return nullptr;
  auto transport_options = transport(options, set->holds, element);
  if (!transport_options) return nullptr;
  const upstream::SetId id = compiler_.tcp_set_id(name);
  const auto known = previous_ ? previous_->tcp_sets.find(name) : out_.tcp_sets.end();
  if (previous_ && known != previous_->tcp_sets.end() && serve_alike(*known->second, *set))
    set = known->second;  // workers have nothing to do
  else
    out_.changed_sets.emplace_back(id, set);
  out_.tcp_sets[name] = set;
  note_usable(*set);
  statuses_[name] = std::make_shared<service::SetStatus>(id);
  if (options.health_check) {
    auto plan = std::make_shared<tcp::HealthPlan>();
    plan->service = name;
    plan->key = checks ^ (transport_options->key * 31);
    plan->set = set;
    plan->transport = transport_options;
    plan->check = *options.health_check;
    out_.tcp_health_plans.push_back(std::move(plan));
  }
  tcp::LoadBalancerOptions made;
  made.name = name;
  made.set = id;
  made.transport = std::move(transport_options);
  made.hold.requests =
      static_cast<std::uint32_t>(std::clamp<std::int64_t>(install_.hold.requests, 0, 1'000'000));
  made.hold.time = install_.hold.time;
  made.hold.after = install_.hold.after;
  if (made.hold.time <= Duration{} || made.hold.after <= Duration{}) made.hold.requests = 0;
  return std::make_shared<tcp::LoadBalancer>(std::move(made));
}

std::shared_ptr<const upstream::ServerSet> TcpServiceCompiler::server_set(const std::string& name,
                                                                          Element& element,
                                                                          std::uint64_t checks) {
  const model::TcpLoadBalancer& options = *element.options.load_balancer;
  auto set = std::make_shared<upstream::ServerSet>();
  set->service = name;
  set->state = compiler_.carry_over_.get<upstream::ServiceState>(key_of(name), 0);
  const std::string_view provider = model::split(name).provider;
  set->holds = provider == "docker" || provider == "swarm";
  const auto standings = dynamic_.tcp.standings.find(name);
  for (const model::TcpServer& server : options.servers) {
    auto address = parse_address(server.address);
    if (!address) {
      element.break_off(model::ReasonKind::BadOption,
                        fmt::format("loadBalancer.servers: {}", address.error().what));
      return nullptr;
    }
    upstream::Server compiled;
    compiled.address = std::move(*address);
    compiled.tls = server.tls;
    compiled.state = compiler_.carry_over_.get<upstream::ServerState>(
        fmt::format("{}|{}", key_of(name), server.address), checks);
    upstream::Phase phase = upstream::Phase::Ready;
    if (standings != dynamic_.tcp.standings.end())
      for (const model::Standing& standing : standings->second)
        if (standing.url == server.address) phase = phase_of(standing.state, standing.reasons);
    compiled.state->phase.store(phase, std::memory_order_relaxed);
    set->servers.push_back(std::move(compiled));
  }
  set->schedule = upstream::make_schedule(std::vector<int>(set->servers.size(), 1));
  if (standings != dynamic_.tcp.standings.end())
    for (const model::Standing& standing : standings->second)
      if (standing.state != model::ServerState::Ready || !standing.reasons.empty())
        set->obstacles.push_back(obstacle_of(standing));
  return set;
}

std::shared_ptr<const tcp::TransportOptions> TcpServiceCompiler::transport(
    const model::TcpLoadBalancer& options, bool container, Element& element) {
  const std::string& name = options.servers_transport;
  model::TcpServersTransport wanted;
  if (name.empty() || name == "default@internal") {
    wanted = model::default_tcp_servers_transport(install_);
  } else {
    const auto found = dynamic_.tcp.servers_transports.find(name);
    if (found == dynamic_.tcp.servers_transports.end() || found->second.broken()) {
      element.break_off(model::ReasonKind::MissingReference,
                        fmt::format("the serversTransport \"{}\" cannot be used", name));
      return nullptr;
    }
    wanted = found->second.options;
  }
  // Options of the service that a serversTransport replaces.
  if (name.empty()) {
    if (options.termination_delay)
      wanted.termination_delay = std::chrono::milliseconds(*options.termination_delay);
    if (options.proxy_protocol) wanted.proxy_protocol = options.proxy_protocol;
  }
  auto made = std::make_shared<tcp::TransportOptions>();
  made->key = model::hash_of(wanted) ^ (container ? 1 : 0);
  made->name = name.empty() ? "default@internal" : name;
  made->dial_timeout = dial_timeout(wanted.dial_timeout, container);
  made->keep_alive =
      wanted.dial_keep_alive == schema::Duration{} ? Duration(kDefaultKeepAlive) : wanted.dial_keep_alive;
  made->termination_delay = wanted.termination_delay;
  made->proxy_protocol = wanted.proxy_protocol ? static_cast<int>(wanted.proxy_protocol->version) : 0;
  const bool is_default = made->name == "default@internal";
  if (const auto& tls = install_.tcp_servers_transport.tls; is_default && tls && !tls->spiffe.is_null()) {
    made->tls_problem = "spiffe of the tcpServersTransport is not supported";
  } else if (std::ranges::any_of(options.servers, &model::TcpServer::tls)) {
    secure(wanted.tls.value_or(model::TcpClientTls{}), element, *made);
  }
  return made;
}

// TLS toward servers. As in Traefik the name to verify is never taken from the address.
// Validation has warned of what fails for that reason.
void TcpServiceCompiler::secure(const model::TcpClientTls& options, Element& element,
                                tcp::TransportOptions& out) {
  if (options.server_name.empty() && !options.insecure_skip_verify) {
    out.tls_problem =
        "TLS to the server needs a serversTransport with tls.serverName or tls.insecureSkipVerify";
    return;
  }
  ClientContexts::Found found = compiler_.client_contexts_.find(tls_key(options), options);
  out.key ^= found.key;
  out.tls = std::move(found.context);
  if (out.tls) {
    if (!found.problem.empty() && !dynamic_.tcp.servers_transports.contains(out.name))
      element.warn(
          model::ReasonKind::BadOption,
          fmt::format("tcpServersTransport.tls.{}; what the file said before is used", found.problem));
    return;
  }
  out.tls_problem = fmt::format("the serversTransport {} cannot be used: tls.{}", out.name, found.problem);
  element.warn(model::ReasonKind::BadOption, out.tls_problem + "; connections to servers with tls fail");
}

void TcpServiceCompiler::check_transports() {
  for (auto& [name, element] : dynamic_.tcp.servers_transports) {
    const auto& options = element.options.tls;
    if (element.broken() || !options || (options->root_cas.empty() && options->certificates.empty()))
      continue;
    const ClientContexts::Found found = compiler_.client_contexts_.find(tls_key(*options), *options);
    if (found.problem.empty()) continue;
    const std::string problem = "tls." + found.problem;
    if (found.context)
      element.warn(model::ReasonKind::BadOption, problem + "; what the file said before is used");
    else
      element.break_off(model::ReasonKind::BadOption, problem);
  }
}

std::shared_ptr<const tcp::Service> TcpServiceCompiler::weighted(const std::string& name, Element& element) {
  std::vector<tcp::Child> children;
  for (const model::WeightedChild& wanted : element.options.weighted->services) {
    auto made = service(wanted.name);
    if (!made) {
      element.break_off(model::ReasonKind::MissingReference,
                        fmt::format("weighted.services: \"{}\" cannot be used", wanted.name));
      return nullptr;
    }
    const auto status = statuses_.find(wanted.name);
    children.push_back({wanted.name, static_cast<int>(std::clamp<std::int64_t>(wanted.weight, 0, 1'000'000)),
                        std::move(made), status == statuses_.end() ? nullptr : status->second});
  }
  auto made = std::make_shared<tcp::Weighted>(
      std::move(children), compiler_.carry_over_.get<upstream::ServiceState>(key_of(name), 0));
  statuses_[name] = made;
  return made;
}

tcp::MiddlewarePtr TcpServiceCompiler::middleware(const std::string& name) {
  if (const auto made = middlewares_.find(name); made != middlewares_.end()) return made->second;
  const auto found = dynamic_.tcp.middlewares.find(name);
  if (found == dynamic_.tcp.middlewares.end()) return nullptr;
  tcp::MiddlewarePtr& slot = middlewares_[name];
  model::Element<model::Middleware>& element = found->second;
  if (element.broken()) return nullptr;
  const tcp::Type* type = tcp::find(element.options.type);
  if (!type) {
    element.break_off(model::ReasonKind::BadOption,
                      fmt::format("no TCP middleware type \"{}\"", element.options.type));
    return nullptr;
  }
  tcp::Making making{.name = name, .carry_over = compiler_.carry_over_};
  auto made = type->make(element.options.options, making);
  for (const schema::Problem& notice : making.notices)
    element.warn(model::ReasonKind::Deprecated, notice.text());
  if (made) return slot = std::move(*made);
  const std::string where = made.error().path.empty() ? std::string(type->name)
                                                      : fmt::format("{}.{}", type->name, made.error().path);
  element.break_off(model::ReasonKind::BadOption, fmt::format("{}: {}", where, made.error().what));
  return nullptr;
}

void TcpServiceCompiler::finish() {
  for (const auto& [name, element] : dynamic_.tcp.middlewares) middleware(name);
  for (const auto& [name, element] : dynamic_.tcp.services) service(name);
  check_transports();
  if (!previous_) return;
  for (const auto& [name, set] : previous_->tcp_sets)
    if (!out_.tcp_sets.contains(name)) out_.changed_sets.emplace_back(compiler_.tcp_set_id(name), nullptr);
}

}  // namespace fairlead::runtime
