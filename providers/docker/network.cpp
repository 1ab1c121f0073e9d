#include "providers/docker/network.h"

#include "engine/base/strings.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <re2/re2.h>

#include <algorithm>

namespace fairlead::providers::docker {
namespace {

using model::Reason;
using model::ReasonKind;
using Found = std::expected<Address, Reason>;

bool unspecific(std::string_view ip) { return ip.empty() || ip == "0.0.0.0" || ip == "::"; }
bool loopback(std::string_view ip) { return ip.starts_with("127.") || ip == "::1"; }

std::unexpected<Reason> refuse(ReasonKind kind, std::string text, std::string hint = {}) {
  return std::unexpected(Reason{kind, std::move(text), std::move(hint), false});
}

const Port* find_port(const Container& container, std::uint16_t number, bool tcp) {
  for (const Port& port : container.ports)
    if (port.number == number && port.tcp == tcp) return &port;
  return nullptr;
}

// useBindPortIP: the first binding decides, and only when it names one address.
std::optional<Address> bound_address(const Container& container, std::uint16_t number, bool tcp) {
  const Port* port = find_port(container, number, tcp);
  if (port == nullptr || port->bindings.empty() || unspecific(port->bindings[0].ip)) return std::nullopt;
  return Address{port->bindings[0].ip, port->bindings[0].port, {}};
}

// On another machine: the first binding that this machine can reach.
std::optional<Address> published_address(const Container& container, std::uint16_t number, bool tcp,
                                         const std::string& host) {
  const Port* port = find_port(container, number, tcp);
  if (port == nullptr) return std::nullopt;
  for (const Binding& binding : port->bindings)
    if (!loopback(binding.ip)) return Address{unspecific(binding.ip) ? host : binding.ip, binding.port, {}};
  return std::nullopt;
}

// What Compose, or a stack of Swarm, puts in front of the names in its file.
const std::string& prefix_of(const Container& container) {
  const std::string& stack = container.label("com.docker.stack.namespace");
  return stack.empty() ? container.label("com.docker.compose.project") : stack;
}

// "proxy" is also meant by who writes the Compose file of a project whose real name is "<project>_proxy".
bool names(const Attachment& attachment, const std::string& wanted, const std::string& project) {
  return !wanted.empty() &&
         (attachment.name == wanted || (!project.empty() && attachment.name == project + "_" + wanted));
}

const Attachment* find_attachment(const Container& container, const std::string& wanted) {
  const std::string& project = prefix_of(container);
  for (const Attachment& a : container.attachments)
    if (a.name == wanted) return &a;
  for (const Attachment& a : container.attachments)
    if (names(a, wanted, project)) return &a;
  return nullptr;
}

const std::string& ip_of(const Attachment& attachment) {
  return attachment.ipv4.empty() ? attachment.ipv6 : attachment.ipv4;
}

// A Swarm task in host mode has its node's address, for which no network need be shared.
bool shared(const Attachment& attachment, const Surroundings& around) {
  return !around.networks || around.networks->contains(attachment.name) ||
         (attachment.name == "host" && !ip_of(attachment).empty());
}

std::string list_of(const Container& container) {
  std::vector<std::string> out;
  for (const Attachment& a : container.attachments) out.push_back("`" + a.name + "`");
  return out.empty() ? "no network" : fmt::format("{}", fmt::join(out, ", "));
}

// Compose cannot put a service on the default bridge beside other networks.
std::string network_to_add(const std::set<std::string>& ours) {
  for (const std::string& name : ours)
    if (name != "bridge") return fmt::format("add `networks: [{}]`", name);
  return "put both on one network";
}

Reason no_shared_network(const Container& container, const Surroundings& around) {
  std::vector<std::string> ours;
  for (const std::string& name : *around.networks) ours.push_back("`" + name + "`");
  return {ReasonKind::NoNetwork,
          fmt::format("{} is on {}; Fairlead is on {}", container.name, list_of(container),
                      ours.empty() ? "no network" : fmt::format("{}", fmt::join(ours, ", "))),
          network_to_add(*around.networks), false};
}

// Label, provider's network, the rest by name ("ingress" last: it carries published ports, not applications).
std::vector<const Attachment*> candidates(const Container& container, const std::string& wanted,
                                          const Surroundings& around) {
  std::vector<const Attachment*> out;
  const auto add = [&](const Attachment* a) {
    if (a != nullptr && shared(*a, around) && std::ranges::find(out, a) == out.end()) out.push_back(a);
  };
  add(find_attachment(container, wanted));
  add(find_attachment(container, around.network));
  for (const Attachment& a : container.attachments)
    if (a.name != "ingress") add(&a);
  for (const Attachment& a : container.attachments) add(&a);
  return out;
}

std::optional<Reason> network_warning(const Container& container, const std::string& wanted,
                                      const Attachment& chosen, const Surroundings& around) {
  if (wanted.empty() || names(chosen, wanted, prefix_of(container))) return std::nullopt;
  const Attachment* named = find_attachment(container, wanted);
  if (named == nullptr)
    return Reason{
        ReasonKind::NoNetwork,
        fmt::format("{} is not on the network `{}`; `{}` is used", container.name, wanted, chosen.name),
        fmt::format("its networks are {}; Compose puts the project's name in front", list_of(container)),
        false};
  return Reason{
      ReasonKind::NoNetwork,
      shared(*named, around)
          ? fmt::format("{} has no address on `{}`; `{}` is used", container.name, wanted, chosen.name)
          : fmt::format("Fairlead is not on the network `{}`; `{}` is used", named->name, chosen.name),
      {},
      false};
}

Found network_address(const Container& container, std::uint16_t port, const std::string& wanted,
                      const Surroundings& around) {
  if (container.network_mode == "none")
    return refuse(ReasonKind::NoNetwork,
                  fmt::format("{} has no network (network_mode: none)", container.name));
  const std::vector<const Attachment*> list = candidates(container, wanted, around);
  if (list.empty()) {
    if (!around.networks || container.attachments.empty())
      return refuse(ReasonKind::NoNetwork, fmt::format("{} is on no network", container.name));
    return std::unexpected(no_shared_network(container, around));
  }
  for (const Attachment* attachment : list) {
    if (ip_of(*attachment).empty()) continue;
    Address out{ip_of(*attachment), port, {}, true};
    const std::string& named = wanted.empty() ? around.network : wanted;
    if (auto warning = network_warning(container, named, *attachment, around))
      out.warnings.push_back(std::move(*warning));
    return out;
  }
  return refuse(ReasonKind::NoNetwork, fmt::format("{} has no address yet", container.name));
}

Found find(const Container& container, std::uint16_t port, bool tcp, const std::string& wanted,
           const Surroundings& around, int depth) {
  if (around.use_bind_port_ip)
    if (auto bound = bound_address(container, port, tcp)) return *bound;
  // A network that is named explicitly and exists counts before host mode and published ports.
  const std::string& explicitly = wanted.empty() ? around.network : wanted;
  const Attachment* named = find_attachment(container, explicitly);
  const bool usable = named != nullptr && shared(*named, around) && !ip_of(*named).empty();
  if (usable) return Address{ip_of(*named), port, {}, true};
  if (container.host_mode())
    return Address{around.remote ? around.host_address : around.host_mode_address, port, {}};
  if (const std::string_view other = container.network_of(); !other.empty()) {
    const Container* target = around.find ? around.find(other) : nullptr;
    if (target == nullptr || depth > 4)
      return refuse(
          ReasonKind::NoNetwork,
          fmt::format("{} uses the network of the container {}, which is unknown", container.name,
                      other.substr(0, 12)),
          "if that one was replaced, recreate this one too: it stays with the network it began with");
    if (target->running != Running::Running && target->running != Running::Paused)
      return refuse(ReasonKind::NoNetwork, fmt::format("{} uses the network of {}, which is not running",
                                                       container.name, target->name));
    const std::string& ours = target->label("fairlead.docker.network");
    const std::string& label = ours.empty() ? target->label("traefik.docker.network") : ours;
    Found found = find(*target, port, tcp, label.empty() ? wanted : label, around, depth + 1);
    if (found && target->started > container.started)
      found->warnings.push_back(
          {ReasonKind::NoNetwork,
           fmt::format("{} uses the network of {}, which was started again after it", container.name,
                       target->name),
           fmt::format("restart {} too: it stays with the network it began with", container.name), false});
    return found;
  }
  if (around.remote)
    if (auto published = published_address(container, port, tcp, around.host_address)) return *published;
  return network_address(container, port, wanted, around);
}

}  // namespace

std::string Address::text() const {
  return ip.find(':') == std::string::npos ? fmt::format("{}:{}", ip, port)
                                           : fmt::format("[{}]:{}", ip, port);
}

std::expected<Address, Reason> find_address(const Container& container, std::uint16_t port, bool tcp,
                                            const std::string& wanted, const Surroundings& around) {
  return find(container, port, tcp, wanted, around, 0);
}

std::optional<std::string> own_container_id(std::string_view mountinfo, std::string_view cgroup) {
  // The engine binds /etc/hostname from its own directory of the container; this also works with cgroup v2.
  static const RE2 mounted(R"(/(?:containers|overlay-containers)/([0-9a-f]{64})/(?:userdata/)?hostname )");
  static const RE2 grouped(R"((?m)[/-]([0-9a-f]{64})(?:\.scope)?$)");
  std::string id;
  if (RE2::PartialMatch(re2::StringPiece(mountinfo.data(), mountinfo.size()), mounted, &id)) return id;
  if (RE2::PartialMatch(re2::StringPiece(cgroup.data(), cgroup.size()), grouped, &id)) return id;
  return std::nullopt;
}

}  // namespace fairlead::providers::docker
