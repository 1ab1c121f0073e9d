#include "providers/docker/shadow.h"

#include <fmt/format.h>

#include <algorithm>
#include <tuple>
#include <vector>

namespace fairlead::providers::docker {
namespace {

using model::Standing;

// A service of another provider, or one without servers of its own, is taken as able to serve.
bool can_serve(const std::string& service, const std::map<std::string, std::vector<Standing>>& standings) {
  const auto found = standings.find(service);
  return found == standings.end() || std::ranges::any_of(found->second, [](const Standing& s) {
           return s.state == model::ServerState::Ready && !s.url.empty();
         });
}

bool overlap(const std::vector<std::string>& a, const std::vector<std::string>& b) {
  if (a.empty() || b.empty()) return true;
  return std::ranges::any_of(a, [&](const std::string& x) { return std::ranges::find(b, x) != b.end(); });
}

// Whether a request can come to either of them.
template <class Router>
bool meet(const Router& a, const Router& b) {
  if constexpr (requires { a.parent_refs; }) {
    if (a.parent_refs.empty() != b.parent_refs.empty()) return false;
    if (!a.parent_refs.empty()) return overlap(a.parent_refs, b.parent_refs);
  }
  return overlap(a.entry_points, b.entry_points);
}

template <class Router>
struct Rival {
  const std::string* name;
  model::Element<Router>* element;
  bool serves;
  WallTime created;
};

template <class Router>
void mark(std::map<std::string, model::Element<Router>>& routers, const std::string& section,
          const std::map<std::string, std::vector<Standing>>& standings,
          const std::map<std::string, WallTime>& created) {
  using Key = std::tuple<std::string_view, std::int64_t, bool>;  // rule, priority, TLS
  std::map<Key, std::vector<Rival<Router>>> groups;
  for (auto& [name, element] : routers) {
    if (element.options.rule.empty()) continue;
    const auto age = created.find(section + "." + name);
    // 0 means the length of the rule.
    const auto length = static_cast<std::int64_t>(element.options.rule.size());
    const std::int64_t priority = element.options.priority == 0 ? length : element.options.priority;
    groups[Key(element.options.rule, priority, element.options.tls.has_value())].push_back(
        {&name, &element, can_serve(element.options.service, standings),
         age == created.end() ? WallTime{} : age->second});
  }
  for (auto& [key, rivals] : groups) {
    if (rivals.size() < 2) continue;
    std::ranges::sort(rivals, [](const auto& a, const auto& b) {
      return std::tuple(!a.serves, a.created, *a.name) < std::tuple(!b.serves, b.created, *b.name);
    });
    for (std::size_t i = 1; i < rivals.size(); ++i) {
      const auto first =
          std::find_if(rivals.begin(), rivals.begin() + static_cast<std::ptrdiff_t>(i),
                       [&](const auto& r) { return meet(r.element->options, rivals[i].element->options); });
      if (first == rivals.begin() + static_cast<std::ptrdiff_t>(i)) continue;
      rivals[i].element->warn(model::ReasonKind::Shadowed,
                              fmt::format("the router {} ({}) has the same rule and priority and comes first",
                                          *first->name, first->element->origin.source));
    }
  }
}

}  // namespace

void mark_shadowed(model::Dynamic& dynamic, const std::map<std::string, WallTime>& created) {
  mark(dynamic.http.routers, "http", dynamic.http.standings, created);
  mark(dynamic.tcp.routers, "tcp", dynamic.tcp.standings, created);
}

}  // namespace fairlead::providers::docker
