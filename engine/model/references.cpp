#include "engine/model/references.h"

namespace fairlead::model {
namespace {

using schema::Node;

std::string_view trimmed(std::string_view text) {
  constexpr std::string_view kBlank = " \t\r\n";
  const std::size_t first = text.find_first_not_of(kBlank);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(kBlank) - first + 1);
}

// Walks the references of a service, const or not: visit(name, target, option, needs_status).
template <class Service, class Visit>
void walk_http(Service& service, const Visit& visit) {
  if (auto& lb = service.load_balancer)
    visit(lb->servers_transport, Target::Transport, "loadBalancer.serversTransport", false);
  if (auto& weighted = service.weighted)
    for (auto& child : weighted->services)
      visit(child.name, Target::Service, "weighted.services", weighted->health_check.has_value());
  if (auto& hrw = service.highest_random_weight)
    for (auto& child : hrw->services)
      visit(child.name, Target::Service, "highestRandomWeight.services", hrw->health_check.has_value());
  if (auto& mirroring = service.mirroring) {
    visit(mirroring->service, Target::Service, "mirroring.service", mirroring->health_check.has_value());
    for (auto& mirror : mirroring->mirrors) visit(mirror.name, Target::Service, "mirroring.mirrors", false);
  }
  if (auto& failover = service.failover) {
    const bool by_status = failover->errors && !failover->errors->status.empty();
    visit(failover->service, Target::Service, "failover.service", !by_status);
    visit(failover->fallback, Target::Service, "failover.fallback", failover->health_check.has_value());
  }
  for (auto& name : service.middlewares) visit(name, Target::Middleware, "middlewares", false);
}

template <class Service, class Visit>
void walk_tcp(Service& service, const Visit& visit) {
  if (auto& lb = service.load_balancer)
    visit(lb->servers_transport, Target::Transport, "loadBalancer.serversTransport", false);
  if (auto& weighted = service.weighted)
    for (auto& child : weighted->services)
      visit(child.name, Target::Service, "weighted.services", weighted->health_check.has_value());
}

template <class Service, class Visit>
void walk_udp(Service& service, const Visit& visit) {
  if (auto& weighted = service.weighted)
    for (auto& child : weighted->services) visit(child.name, Target::Service, "weighted.services", false);
}

// The same for the writing and the collecting side.
auto renaming(const Rename& rename) {
  return [&rename](std::string& name, Target, const char*, bool) {
    if (!name.empty()) rename(name);
  };
}
auto collecting(std::vector<Reference>& out) {
  return [&out](const std::string& name, Target target, const char* option, bool status) {
    // A transport that is not named is the default one; a child that is not named is a mistake worth finding.
    if (!name.empty() || target == Target::Service) out.push_back({target, name, option, status});
  };
}

}  // namespace

std::vector<std::string> texts(const Node& list) {
  std::vector<std::string> out;
  const auto split = [&out](std::string_view text) {
    while (true) {
      const std::size_t comma = text.find(',');
      if (const std::string_view part = trimmed(text.substr(0, comma)); !part.empty()) out.emplace_back(part);
      if (comma == std::string_view::npos) return;
      text.remove_prefix(comma + 1);
    }
  };
  if (list.is_scalar()) split(list.text());
  for (const Node::Entry& entry : list.entries())
    if (entry.value.is_scalar()) split(entry.value.text());
  return out;
}

void for_each_reference(HttpService& service, const Rename& rename) { walk_http(service, renaming(rename)); }
void for_each_reference(TcpService& service, const Rename& rename) { walk_tcp(service, renaming(rename)); }
void for_each_reference(UdpService& service, const Rename& rename) { walk_udp(service, renaming(rename)); }

void for_each_reference(Middleware& middleware, const Rename& rename) {
  if (middleware.type == "chain") {
    Node* list = middleware.options.find_ignoring_case("middlewares");
    if (!list) return;
    Node renamed = Node::list();
    renamed.set_place(list->place());
    for (std::string& name : texts(*list)) {
      rename(name);
      renamed.push(Node::scalar(name)).set_place(list->place());
    }
    *list = std::move(renamed);
  } else if (middleware.type == "errors") {
    Node* service = middleware.options.find_ignoring_case("service");
    if (!service || !service->is_scalar() || service->text().empty()) return;
    std::string name = service->text();
    rename(name);
    service->set_value(std::move(name));
  }
}

std::vector<Reference> references(const HttpService& service) {
  std::vector<Reference> out;
  walk_http(service, collecting(out));
  return out;
}

std::vector<Reference> references(const TcpService& service) {
  std::vector<Reference> out;
  walk_tcp(service, collecting(out));
  return out;
}

std::vector<Reference> references(const UdpService& service) {
  std::vector<Reference> out;
  walk_udp(service, collecting(out));
  return out;
}

std::vector<Reference> references(const Middleware& middleware) {
  std::vector<Reference> out;
  if (middleware.type == "chain") {
    if (const Node* list = middleware.options.find_ignoring_case("middlewares"))
      for (std::string& name : texts(*list))
        out.push_back({Target::Middleware, std::move(name), "chain.middlewares"});
  } else if (middleware.type == "errors") {
    if (const Node* service = middleware.options.find_ignoring_case("service");
        service && service->is_scalar())
      out.push_back({Target::Service, service->text(), "errors.service"});
  }
  return out;
}

}  // namespace fairlead::model
