#include "engine/model/references.h"
#include "engine/model/static.h"
#include "engine/model/validate_parts.h"

#include <algorithm>
#include <map>
#include <type_traits>

namespace fairlead::model {
namespace {

constexpr int kDeepestWeighted = 100;

// The services of TCP and UDP refer to each other by `weighted` alone. `status` is kept by name.
template <class Service>
class Weights {
 public:
  using Services = std::map<std::string, Element<Service>>;

  explicit Weights(Services& services) : services_(services) {}

  void run() {
    for (auto& [name, element] : services_) visit(name, element, 0);
  }

 private:
  struct Seen {
    bool open = true;  // it is being looked at just now
    int levels = 0;    // below it
  };

  void visit(const std::string& name, Element<Service>& element, int depth) {
    const auto [seen, is_new] = seen_.try_emplace(name);
    if (!is_new) return;
    for (const Reference& reference : references(element.options)) {
      if (reference.target != Target::Service) continue;
      if (reference.name.empty()) {
        element.break_off(ReasonKind::BadOption, fmt::format("{} names no service", reference.option));
        continue;
      }
      const auto found = services_.find(reference.name);
      if (found != services_.end()) {
        const auto below = seen_.find(reference.name);
        if (below != seen_.end() && below->second.open) {
          element.break_off(ReasonKind::BadOption, fmt::format("{} leads back to the service \"{}\"",
                                                               reference.option, reference.name));
          continue;
        }
        if (depth >= kDeepestWeighted || (below != seen_.end() && below->second.levels >= kDeepestWeighted)) {
          element.break_off(ReasonKind::BadOption, fmt::format("{} is nested too deeply", reference.option));
          continue;
        }
        visit(found->first, found->second, depth + 1);
        seen->second.levels = std::max(seen->second.levels, seen_.at(reference.name).levels + 1);
      }
      require(element, services_, reference.name, "service");
    }
    seen->second.open = false;
  }

  Services& services_;
  std::map<std::string, Seen> seen_;
};

// "host:port" or "[::1]:port"; a URL is none, and neither is an IPv6 address whose end may be the port, or
// what holds a blank.
bool is_address(std::string_view address) {
  const std::size_t colon = address.rfind(':');
  if (colon == std::string_view::npos || colon == 0) return false;
  const std::string_view host = address.substr(0, colon);
  const bool bracketed = host.size() > 2 && host.starts_with('[') && host.ends_with(']');
  if (!bracketed && host.find_first_of(":/[] \t\r\n") != std::string_view::npos) return false;
  const std::string_view port = address.substr(colon + 1);
  return !port.empty() && port.size() <= 5 && port.find_first_not_of("0123456789") == std::string_view::npos;
}

template <class Service>
void check_kinds(const std::string& name, Element<Service>& element) {
  const int kinds = element.options.load_balancer.has_value() + element.options.weighted.has_value();
  if (kinds == 0)
    element.break_off(ReasonKind::BadOption,
                      fmt::format("the {}service \"{}\" does not have any type defined",
                                  std::is_same_v<Service, UdpService> ? "UDP " : "", name),
                      "set loadBalancer or weighted");
  if (kinds > 1)
    element.break_off(ReasonKind::BadOption, "multi-types service not supported",
                      "set either loadBalancer or weighted");
  if (!element.options.weighted) return;
  if (element.options.weighted->services.empty() && !element.broken())
    element.warn(ReasonKind::NoServer, "has no service below it");
  for (WeightedChild& child : element.options.weighted->services) {
    if (child.weight >= 0) continue;
    element.warn(ReasonKind::BadOption,
                 fmt::format("the weight {} of {} counts as 0", child.weight, child.name));
    child.weight = 0;
  }
}

template <class Servers, class Service>
void check_servers(const Servers& servers, bool is_watched, Element<Service>& element) {
  for (const auto& server : servers)
    if (server.address.empty() ? !is_watched : !is_address(server.address))
      element.break_off(
          ReasonKind::BadOption,
          fmt::format("the server address \"{}\" is none: expected e.g. 10.0.0.2:5432", server.address));
  if (servers.empty() && !is_watched) element.warn(ReasonKind::NoServer, "has no server");
}

void check_health(TcpHealthCheck& check, Element<TcpService>& element) {
  // As in Traefik what is too long is left out, and the rest of the check stays.
  const auto short_enough = [&element](std::string& bytes, const char* option) {
    if (bytes.size() <= 65535) return;
    element.warn(ReasonKind::BadOption,
                 fmt::format("{} is longer than 65535 bytes and has no effect", option));
    bytes.clear();
  };
  short_enough(check.send, "healthCheck.send");
  short_enough(check.expect, "healthCheck.expect");
  check_times(check, element);
  if (check.port < 0 || check.port > 65535)
    element.break_off(ReasonKind::BadOption, fmt::format("healthCheck.port {} is no port", check.port));
}

}  // namespace

void validate_tcp_services(Tcp& tcp, const Static& install) {
  const TcpServersTransport by_default = default_tcp_servers_transport(install);
  for (auto& [name, element] : tcp.services) {
    check_kinds(name, element);
    if (!element.options.load_balancer) continue;
    TcpLoadBalancer& lb = *element.options.load_balancer;
    check_servers(lb.servers, tcp.standings.contains(name), element);
    if (lb.health_check) check_health(*lb.health_check, element);
    const TcpServersTransport* transport = &by_default;
    if (!lb.servers_transport.empty() && lb.servers_transport != "default@internal") {
      transport = nullptr;
      if (const auto* found =
              require(element, tcp.servers_transports, lb.servers_transport, "serversTransport"))
        transport = &found->options;
      if (lb.proxy_protocol)
        element.warn(ReasonKind::Ineffective, "proxyProtocol is ignored beside serversTransport");
      if (lb.termination_delay)
        element.warn(ReasonKind::Ineffective, "terminationDelay is ignored beside serversTransport");
    }
    if (!transport) continue;
    const bool verifies =
        transport->tls && (!transport->tls->server_name.empty() || transport->tls->insecure_skip_verify);
    if (!verifies && std::ranges::any_of(lb.servers, &TcpServer::tls))
      element.warn(ReasonKind::BadOption,
                   "TLS to the server needs a serversTransport with tls.serverName or "
                   "tls.insecureSkipVerify; connections will fail");
  }
  Weights<TcpService>(tcp.services).run();
}

void validate_udp_services(Udp& udp) {
  for (auto& [name, element] : udp.services) {
    check_kinds(name, element);
    if (element.options.load_balancer)
      check_servers(element.options.load_balancer->servers, udp.standings.contains(name), element);
  }
  Weights<UdpService>(udp.services).run();
}

}  // namespace fairlead::model
