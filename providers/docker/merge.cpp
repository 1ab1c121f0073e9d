#include "providers/docker/merge.h"

#include "providers/docker/contest.h"
#include "providers/docker/lost_names.h"
#include "providers/docker/shadow.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <unordered_map>
#include <unordered_set>

namespace fairlead::providers::docker {
namespace {

using model::Dynamic;
using model::Element;
using model::Reason;
using model::ReasonKind;
using model::ServerState;
using model::Standing;

// What a service is beside its servers, which every container adds to. Middlewares of a service are not
// compared, as in Traefik: the first container's list is kept.
model::HttpService definition(const Element<model::HttpService>& element) {
  model::HttpService out = element.options;
  if (out.load_balancer) out.load_balancer->servers.clear();
  out.middlewares.clear();
  return out;
}
template <class Service>
Service definition(const Element<Service>& element) {
  Service out = element.options;
  if constexpr (requires { out.load_balancer; })
    if (out.load_balancer) out.load_balancer->servers.clear();
  return out;
}

template <class T>
bool same(const Element<T>& a, const Element<T>& b) {
  return a.broken() == b.broken() && definition(a) == definition(b);
}

const std::string& url_of(const model::Server& server) { return server.url; }
const std::string& url_of(const model::TcpServer& server) { return server.address; }
const std::string& url_of(const model::UdpServer& server) { return server.address; }

class Merger {
 public:
  Merger(std::span<const Part> parts, std::string_view provider, Holders& holders)
      : parts_(parts.begin(), parts.end()), provider_(provider), holders_(holders) {
    // Traefik's order of merging: by name, then id.
    std::ranges::sort(parts_, [](const Part& a, const Part& b) {
      const Container &x = a.tracked->container, &y = b.tracked->container;
      return std::tuple(x.base_name(), x.host, x.id) < std::tuple(y.base_name(), y.host, y.id);
    });
    lost_.resize(parts_.size());
    for (const Part& part : parts_) {
      auto& by_service = servers_.emplace_back();
      for (const ServerOf& server : part.built->servers)
        by_service[{server.protocol, server.service}].push_back(&server);
    }
  }

  Dynamic run() {
    services(
        "http.services.", Protocol::Http, [](auto& d) -> auto& { return d.http.services; },
        out_.http.standings);
    services(
        "tcp.services.", Protocol::Tcp, [](auto& d) -> auto& { return d.tcp.services; }, out_.tcp.standings);
    services(
        "udp.services.", Protocol::Udp, [](auto& d) -> auto& { return d.udp.services; }, out_.udp.standings);
    elements("http.middlewares.", [](auto& d) -> auto& { return d.http.middlewares; });
    elements("http.serversTransports.", [](auto& d) -> auto& { return d.http.servers_transports; });
    elements("tcp.middlewares.", [](auto& d) -> auto& { return d.tcp.middlewares; });
    elements("tcp.serversTransports.", [](auto& d) -> auto& { return d.tcp.servers_transports; });
    elements("tls.options.", [](auto& d) -> auto& { return d.tls.options; });
    elements("tls.stores.", [](auto& d) -> auto& { return d.tls.stores; });
    routers("http", [](auto& d) -> auto& { return d.http.routers; });
    routers("tcp", [](auto& d) -> auto& { return d.tcp.routers; });
    elements("udp.routers.", [](auto& d) -> auto& { return d.udp.routers; });
    for (const Part& part : parts_) {
      const Dynamic& d = part.built->dynamic;
      out_.tls.certificates.insert(out_.tls.certificates.end(), d.tls.certificates.begin(),
                                   d.tls.certificates.end());
      for (const Reason& reason : d.reasons)
        if (seen_.insert(reason.text).second) out_.reasons.push_back(reason);
    }
    close_users_of_lost_names();
    mark_shadowed(out_, created_);
    std::erase_if(holders_, [this](const auto& held) { return !winners_.contains(held.first); });
    return std::move(out_);
  }

 private:
  template <class T>
  using Entries = std::map<std::string_view, std::vector<Claim<T>>>;

  template <class Member>
  auto gather(Member member) {
    using Map = std::remove_cvref_t<decltype(member(out_))>;
    using T = decltype(Map::mapped_type::options);
    Entries<T> out;
    for (std::size_t i = 0; i < parts_.size(); ++i)
      for (const auto& [name, element] : member(parts_[i].built->dynamic))
        out[name].push_back({i, parts_[i].tracked, &parts_[i].owner, &element});
    return out;
  }

  // Decides who has the name and enters the winner. Answers the claims that mean the same: those whose
  // servers join it, when it `has_servers`.
  template <class T, class Map>
  std::vector<const Claim<T>*> decide(const std::string& prefix, std::string_view name,
                                      const std::vector<Claim<T>>& claims, Map& into, bool has_servers) {
    std::string key = prefix + std::string(name);
    std::string& holder = holders_[key];
    const Claim<T>& winner = choose(claims, holder);
    holder = *winner.owner;
    Element<T>& element = into.emplace(name, *winner.element).first->second;
    std::vector<const Claim<T>*> joined;
    for (const Claim<T>& claim : claims) {
      const bool alike = same(*claim.element, *winner.element);
      if (*claim.owner == holder || (alike && (!has_servers || may_join(claim, winner)))) {
        joined.push_back(&claim);
        continue;
      }
      lost_[claim.part].insert(key);
      const std::string text = fmt::format("{} is defined {} by {} and by {}; the former counts", key,
                                           alike ? "on two engines" : "differently",
                                           winner.element->origin.source, claim.element->origin.source);
      element.warn(ReasonKind::Conflict, text, "give one of them another name");
      if (seen_.insert(text).second)
        out_.reasons.push_back({ReasonKind::Conflict, text, "give one of them another name", false});
    }
    winners_.emplace(std::move(key), Winner{winner.part, &element.reasons});
    return joined;
  }

  template <class Member>
  void elements(const std::string& prefix, Member member) {
    for (const auto& [name, claims] : gather(member)) decide(prefix, name, claims, member(out_), false);
  }

  template <class Member>
  void services(const std::string& prefix, Protocol protocol, Member member,
                std::map<std::string, std::vector<Standing>>& standings) {
    for (const auto& [name, claims] : gather(member)) {
      const auto joined = decide(prefix, name, claims, member(out_), true);
      auto& service = member(out_).find(std::string(name))->second;
      if (!service.options.load_balancer) continue;
      auto& servers = service.options.load_balancer->servers;
      servers.clear();
      auto& list = standings[std::string(name)];
      std::unordered_set<std::string_view> urls;
      Dialled dialled;
      for (const auto* claim : joined) {
        if (const auto& balancer = claim->element->options.load_balancer)
          for (const auto& server : balancer->servers)
            if (urls.insert(url_of(server)).second) servers.push_back(server);
        add_standings(claim->part, protocol, name, list, dialled);
      }
      // A server whose every container is gone must not be dialled.
      std::erase_if(servers, [&](const auto& server) { return !dialled.contains(url_of(server)); });
    }
  }

  // Where in a list of standings each address is that may be dialled.
  using Dialled = std::unordered_map<std::string_view, std::size_t>;

  void add_standings(std::size_t from, Protocol protocol, std::string_view service,
                     std::vector<Standing>& list, Dialled& dialled) {
    const Tracked& t = *parts_[from].tracked;
    const auto mine = servers_[from].find({protocol, service});
    if (mine == servers_[from].end()) return;
    for (const ServerOf* const placed : mine->second) {
      const ServerOf& server = *placed;
      Standing standing{"container " + t.container.name, server.url, t.state.server, t.state.reasons,
                        std::chrono::time_point_cast<std::chrono::system_clock::duration>(t.since)};
      standing.reasons.insert(standing.reasons.end(), server.reasons.begin(), server.reasons.end());
      if (standing.state == ServerState::Gone) standing.url.clear();
      if (standing.url.empty() && standing.state == ServerState::Ready) standing.state = ServerState::Gone;
      // Two containers behind one address (host mode): the one that can serve speaks for it.
      if (standing.url.empty()) {
        list.push_back(std::move(standing));
      } else if (const auto [twin, is_new] = dialled.try_emplace(server.url, list.size()); is_new) {
        list.push_back(std::move(standing));
      } else if (standing.state == ServerState::Ready) {
        list[twin->second] = std::move(standing);
      }
    }
  }

  template <class Routers>
  void routers(const std::string& section, Routers member) {
    for (const auto& [name, claims] : gather(member)) {
      decide(section + ".routers.", name, claims, member(out_), false);
      const std::size_t from = winners_.find(fmt::format("{}.routers.{}", section, name))->second.part;
      created_.emplace(section + "." + std::string(name), parts_[from].tracked->container.created);
    }
  }

  // What a container built on a name of its own must not stand on another owner's element of that name.
  void close_users_of_lost_names() {
    for (std::size_t part = 0; part < parts_.size(); ++part) {
      if (lost_[part].empty()) continue;
      for (const auto& [user, lost] :
           users_of_lost_names(parts_[part].built->dynamic, provider_, lost_[part]))
        if (const Winner& winner = winners_.at(user); winner.part == part)
          winner.reasons->push_back({ReasonKind::Conflict,
                                     fmt::format("{} belongs to another container", lost),
                                     "give one of them another name", true});
    }
  }

  std::vector<Part> parts_;
  // By part.
  std::vector<std::map<std::pair<Protocol, std::string_view>, std::vector<const ServerOf*>>> servers_;
  std::string_view provider_;
  Holders& holders_;
  Dynamic out_;
  std::vector<std::set<std::string>> lost_;  // by part: names that another owner has
  struct Winner {
    std::size_t part;
    std::vector<Reason>* reasons;  // of the element in out_
  };
  std::map<std::string, Winner, std::less<>> winners_;  // by name
  std::set<std::string> seen_;                          // reasons already in out_.reasons
  std::map<std::string, WallTime> created_;             // of the container behind each router
};

}  // namespace

model::Dynamic merge(std::span<const Part> parts, std::string_view provider, Holders& holders) {
  return Merger(parts, provider, holders).run();
}

}  // namespace fairlead::providers::docker
