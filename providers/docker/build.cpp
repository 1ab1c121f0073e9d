#include "providers/docker/build.h"

#include "engine/base/strings.h"
#include "engine/model/merge.h"
#include "providers/docker/read_labels.h"
#include "providers/normalize.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

namespace fairlead::providers::docker {
namespace {

using model::Element;
using model::Reason;
using model::ReasonKind;

constexpr int kMostTried = 100;  // exposed ports; an image may expose a range of thousands

class Builder {
 public:
  Builder(const Container& container, const Surroundings& around, const Settings& settings,
          std::optional<std::uint16_t> chosen)
      : container_(container),
        around_(around),
        settings_(settings),
        chosen_(chosen),
        name_(normalize(container.base_name())),
        origin_{fmt::format("container {}{}{}", container.name, container.host.empty() ? "" : " on ",
                            container.host),
                0, 0} {}

  Built run() {
    ReadLabels read = docker::read_labels(container_.labels, origin_.source, name_, settings_);
    out_.notes = read.own.warnings;
    out_.filtered = filtered(read.own);
    if (!out_.filtered.empty()) return std::move(out_);
    out_.exposed = true;
    out_.allow_non_running = read.own.placement.allow_non_running;
    out_.dynamic = std::move(read.dynamic);
    out_.dynamic.reasons.insert(out_.dynamic.reasons.end(), out_.notes.begin(), out_.notes.end());
    network_ = read.own.placement.network;
    model::Dynamic& d = out_.dynamic;
    if (!d.tcp.routers.empty() || !d.tcp.services.empty()) tcp();
    if (!d.udp.routers.empty() || !d.udp.services.empty()) udp();
    const bool other = !d.tcp.routers.empty() || !d.tcp.services.empty() || !d.udp.routers.empty() ||
                       !d.udp.services.empty();
    if (!other || !d.http.routers.empty() || !d.http.services.empty() || !d.http.middlewares.empty()) http();
    own_everything();
    return std::move(out_);
  }

 private:
  // Empty: it is exposed.
  std::string filtered(const OwnLabels& own) const {
    if (own.enable_is_bad || !own.enable.value_or(settings_.exposed_by_default))
      return own.enable ? "Filtering disabled container"
                        : "Filtering disabled container, as no label enables it";
    if (!settings_.constraints || !settings_.constraints->allow(container_.labels))
      return "Container pruned by constraint expression";
    // One-off containers (docker compose run) carry the service's labels and must not serve for it.
    if (iequals(container_.label("com.docker.compose.oneoff"), "true")) return "Filtering one-off container";
    return {};
  }

  void http() {
    auto& http = out_.dynamic.http;
    if (http.services.empty()) {
      Element<model::HttpService> service;
      service.options.load_balancer.emplace();
      http.services.emplace(name_, std::move(service));
    }
    for (auto& [name, service] : http.services)
      if (service.options.load_balancer) place_http(name, *service.options.load_balancer);
    if (http.routers.empty()) {
      if (http.services.size() > 1)
        out_.notes.push_back(
            {ReasonKind::MissingReference,
             fmt::format("{}: no router for the container: too many services", origin_.source),
             "add a router that names one of them", false});
      else
        http.routers.try_emplace(name_);
    }
    // A router that others of the container refine hands requests to them, not to a service.
    std::set<std::string, std::less<>> parents;
    for (const auto& [name, router] : http.routers)
      for (const std::string& parent : router.options.parent_refs) parents.emplace(model::split(parent).name);
    for (auto& [name, router] : http.routers) {
      if (router.options.rule.empty()) default_rule(router);
      if (!parents.contains(name)) link(router, http.services, "http", name);
    }
  }

  void tcp() {
    auto& tcp = out_.dynamic.tcp;
    if (tcp.services.empty()) tcp.services[name_].options.load_balancer.emplace();
    for (auto& [name, service] : tcp.services)
      if (service.options.load_balancer) place(Protocol::Tcp, name, service.options.load_balancer->servers);
    for (auto& [name, router] : tcp.routers) {
      if (router.options.rule.empty())
        router.break_off(ReasonKind::BadOption, fmt::format("tcp.routers.{}: the rule is empty", name),
                         "TCP routers have no default rule; HostSNI(`*`) takes every connection");
      link(router, tcp.services, "tcp", name);
    }
  }

  void udp() {
    auto& udp = out_.dynamic.udp;
    if (udp.services.empty()) udp.services[name_].options.load_balancer.emplace();
    for (auto& [name, service] : udp.services)
      if (service.options.load_balancer) place(Protocol::Udp, name, service.options.load_balancer->servers);
    for (auto& [name, router] : udp.routers) link(router, udp.services, "udp", name);
  }

  void default_rule(Element<model::HttpRouter>& router) {
    if (!settings_.default_rule) {
      router.break_off(ReasonKind::BadOption, "the router has no rule and defaultRule is empty");
      return;
    }
    if (!default_rule_) default_rule_ = render_default_rule();
    if (!*default_rule_) {
      router.break_off(ReasonKind::BadOption, "defaultRule: " + default_rule_->error());
    } else if ((*default_rule_)->empty()) {
      router.break_off(ReasonKind::BadOption, "defaultRule gives an empty rule");
    } else {
      router.options.rule = **default_rule_;
      router.by_default_rule = true;
      if (router.options.rule.contains(kNoValue))
        router.warn(ReasonKind::BadOption,
                    fmt::format("defaultRule gives {}: it reads a label that the container does not have",
                                router.options.rule),
                    "{{ index .Labels \"a.b\" }} reads labels with dots, {{ … | default .Name }} has a word "
                    "for absent ones");
    }
  }

  // The same for all routers of the container.
  std::expected<std::string, std::string> render_default_rule() const {
    const Template::Fields fields{
        {"Name", {name_}},
        {"ContainerName", {container_.name}},
        {"Labels", {TemplateMap(container_.labels.begin(), container_.labels.end())}}};
    return settings_.default_rule->render(fields);
  }

  // A router without a service means the container's only one.
  template <class Router, class Services>
  void link(Element<Router>& router, const Services& services, std::string_view section,
            const std::string& name) {
    if (!router.options.service.empty()) return;
    if (services.size() == 1) {
      router.options.service = services.begin()->first;
      return;
    }
    router.break_off(ReasonKind::MissingReference,
                     fmt::format("{}.routers.{}: cannot be linked automatically with {} services", section,
                                 name, services.size()),
                     fmt::format("add traefik.{}.routers.{}.service", section, name));
  }

  bool dialable() const {
    return container_.running == Running::Running || container_.running == Running::Paused;
  }

  // The address of a server, or its reasons. Containers that are not running have none and need no reason:
  // their state says it.
  std::optional<Address> resolve(ServerOf& server, const std::string& port_label) {
    const bool wants_tcp = server.protocol != Protocol::Udp;
    std::optional<std::uint16_t> port;
    if (!port_label.empty()) {
      const auto number = parse_digits(port_label);
      if (!number || *number == 0 || *number > 65535) {
        server.reasons.push_back({ReasonKind::NoPort,
                                  fmt::format("\"{}\" is no port (1 to 65535)", port_label.substr(0, 40)),
                                  {},
                                  false});
        return std::nullopt;
      }
      port = static_cast<std::uint16_t>(*number);
    } else {
      port = settings_.swarm ? std::nullopt : choose_port(container_, wants_tcp, chosen(server.protocol));
    }
    if (!port) {
      server.reasons.push_back({ReasonKind::NoPort, fmt::format("{}: port is missing", container_.name),
                                settings_.swarm
                                    ? "set the label …loadbalancer.server.port; Swarm tells no ports"
                                    : "EXPOSE one, or set the label …loadbalancer.server.port",
                                false});
      return std::nullopt;
    }
    if (!dialable()) return std::nullopt;
    auto address = find_address(container_, *port, wants_tcp, network_, around_);
    if (!address) {
      server.reasons.push_back(std::move(address.error()));
      return std::nullopt;
    }
    server.reasons.insert(server.reasons.end(), address->warnings.begin(), address->warnings.end());
    if (address->on_network) server.network_ip = address->ip;
    if (wants_tcp) probe(*port, *address);
    if (server.protocol == Protocol::Http && port_label.empty()) probe_others();
    return std::move(*address);
  }

  std::optional<std::uint16_t> chosen(Protocol protocol) const {
    return protocol == Protocol::Http ? chosen_ : std::nullopt;
  }

  void probe(std::uint16_t port, const Address& address) {
    for (const ProbeTarget& known : out_.probes)
      if (known.port == port) return;
    out_.probes.push_back({port, address});
  }

  // All ports that an HTTP service without a port label might mean.
  void probe_others() {
    int count = 0;
    for (const Port& port : container_.ports) {
      if (!port.tcp) continue;
      if (++count > kMostTried) break;
      if (auto address = find_address(container_, port.number, true, network_, around_))
        probe(port.number, *address);
    }
    out_.ambiguous = count > 1;
  }

  void place_http(const std::string& service, model::LoadBalancer& balancer) {
    if (balancer.servers.empty()) balancer.servers.emplace_back();
    std::vector<model::Server> placed;
    for (model::Server& server : balancer.servers) {
      ServerOf entry{Protocol::Http, service, {}, {}};
      if (!server.url.empty() && (!server.port.empty() || !server.scheme.empty())) {
        entry.reasons.push_back({ReasonKind::NoPort,
                                 fmt::format("http.services.{}: url excludes port and scheme", service),
                                 "remove the url, or port and scheme", false});
      } else if (!server.url.empty()) {
        entry.url = server.url;
      } else if (const auto address = resolve(entry, server.port)) {
        entry.url = (server.scheme.empty() ? "http" : lower(server.scheme)) + "://" + address->text();
      }
      if (!entry.url.empty()) {
        server.url = entry.url;
        server.port.clear();
        server.scheme.clear();
        placed.push_back(std::move(server));
      }
      out_.servers.push_back(std::move(entry));
    }
    balancer.servers = std::move(placed);
  }

  template <class Server>
  void place(Protocol protocol, const std::string& service, std::vector<Server>& servers) {
    if (servers.empty()) servers.emplace_back();
    std::vector<Server> placed;
    for (Server& server : servers) {
      ServerOf entry{protocol, service, server.address, {}};
      if (server.address.empty())
        if (const auto address = resolve(entry, server.port)) entry.url = address->text();
      if (!entry.url.empty()) {
        server.address = entry.url;
        server.port.clear();
        placed.push_back(std::move(server));
      }
      out_.servers.push_back(std::move(entry));
    }
    servers = std::move(placed);
  }

  template <class Elements>
  void own(Elements& elements) {
    for (auto& [name, element] : elements) {
      element.owner = owner_;
      if (element.origin.source.empty()) element.origin = origin_;
    }
  }

  void own_everything() {
    model::Dynamic& d = out_.dynamic;
    own(d.http.routers);
    own(d.http.services);
    own(d.http.middlewares);
    own(d.http.servers_transports);
    own(d.tcp.routers);
    own(d.tcp.services);
    own(d.tcp.middlewares);
    own(d.tcp.servers_transports);
    own(d.udp.routers);
    own(d.udp.services);
    own(d.tls.options);
    own(d.tls.stores);
    for (auto& certificate : d.tls.certificates) certificate.owner = owner_;
  }

  const Container& container_;
  const Surroundings& around_;
  const Settings& settings_;
  const std::optional<std::uint16_t> chosen_;
  const std::string name_;
  const std::string owner_ = container_.owner();
  const schema::Origin origin_;
  std::string network_;
  std::optional<std::expected<std::string, std::string>> default_rule_;
  Built out_;
};

}  // namespace

Built build(const Container& container, const Surroundings& around, const Settings& settings,
            std::optional<std::uint16_t> chosen) {
  return Builder(container, around, settings, chosen).run();
}

std::optional<std::uint16_t> choose_port(const Container& container, bool tcp,
                                         std::optional<std::uint16_t> chosen) {
  std::optional<std::uint16_t> lowest, published, other;
  for (const Port& port : container.ports) {  // by number
    if (port.tcp != tcp) {
      if (!other) other = port.number;
      continue;
    }
    if (port.number == chosen) return chosen;
    if (!lowest) lowest = port.number;
    if (!published && !port.bindings.empty()) published = port.number;
  }
  if (published) return published;
  // EXPOSE without a protocol means TCP, and images of UDP servers forget to say it; Traefik takes any.
  return lowest ? lowest : other;
}

std::vector<model::Reason> faults(const Built& built, std::string_view container) {
  std::vector<model::Reason> out = built.notes;
  const auto add = [&out](const model::Reason& reason) {
    if (std::ranges::find(out, reason) == out.end()) out.push_back(reason);
  };
  std::ranges::for_each(built.dynamic.reasons, add);
  for (const ServerOf& server : built.servers)
    for (model::Reason reason : server.reasons) {
      reason.text = fmt::format("service {} (container {}): {}", server.service, container, reason.text);
      add(reason);
    }
  return out;
}

}  // namespace fairlead::providers::docker
