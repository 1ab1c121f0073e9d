#include "engine/runtime/departures.h"

#include "engine/model/references.h"

#include <algorithm>
#include <chrono>
#include <functional>
#include <optional>
#include <set>

namespace fairlead::runtime {
namespace {

using upstream::ServerSet;

// The routers and services of one protocol, HTTP or TCP.
template <class Part, class Sets>
class Following {
 public:
  Following(const Part& before, const Sets& sets_before, const Part& now, const Sets& sets)
      : before_(before), sets_before_(sets_before), now_(now), sets_(sets) {}

  // The new service of a router counts from when the servers of the old one left.
  void inherit() const {
    for (const auto& [name, router] : now_.routers) {
      const auto former = before_.routers.find(name);
      if (former == before_.routers.end() || former->second.owner != router.owner) continue;
      const auto left = sets_before_.find(former->second.options.service);
      const auto set = sets_.find(router.options.service);
      if (left == sets_before_.end() || set == sets_.end() || set->second->any_usable()) continue;
      std::atomic<std::int64_t>& since = set->second->state->last_left;
      if (since.load(std::memory_order_relaxed) == 0)
        since.store(left->second->state->last_left.load(std::memory_order_relaxed),
                    std::memory_order_relaxed);
    }
  }

  // Services that no router names any more, with the one that every router of theirs names now. Nobody knows
  // by which router or composite a request came: where they went different ways, or one went nowhere, there
  // is none.
  std::map<std::string, std::string> left() const {
    std::map<std::string, std::string> out;
    std::set<std::string> astray;
    for (const auto& [name, router] : before_.routers) {
      const std::string& service = router.options.service;
      if (!sets_before_.contains(service)) continue;
      const auto later = now_.routers.find(name);
      const bool goes_on = later != now_.routers.end() && later->second.owner == router.owner &&
                           !later->second.broken() && sets_.contains(later->second.options.service);
      if (goes_on && later->second.options.service == service) continue;
      if (!goes_on || out.try_emplace(service, later->second.options.service).first->second !=
                          later->second.options.service)
        astray.insert(service);
    }
    for (const std::string& service : astray) out.erase(service);
    if (!out.empty()) erase_named(out, before_);
    return out;
  }

  // What is in use by somebody else needs no successor.
  template <class Services>
  void erase_in_use(Services& services) const {
    if (services.empty()) return;
    for (const auto& [name, router] : now_.routers) services.erase(router.options.service);
    erase_named(services, now_);
  }

 private:
  template <class Services>
  static void erase_named(Services& services, const Part& part) {
    const auto look = [&](const auto& elements) {
      for (const auto& [name, element] : elements)
        for (const model::Reference& reference : model::references(element.options))
          if (reference.target == model::Target::Service) services.erase(reference.name);
    };
    look(part.services);
    if constexpr (requires { model::references(part.middlewares.begin()->second.options); })
      look(part.middlewares);
  }

  const Part& before_;
  const Sets& sets_before_;
  const Part& now_;
  const Sets& sets_;
};

// Of a service that is gone: whoever waits there finds the way.
std::shared_ptr<ServerSet> signpost(const ServerSet& left) {
  auto out = std::make_shared<ServerSet>();
  out->service = left.service;
  out->state = left.state;
  out->holds = left.holds;
  return out;
}

void put(ServerSets& changed, upstream::SetId id, std::shared_ptr<const ServerSet> set) {
  const auto known = std::ranges::find(changed, id, &ServerSets::value_type::first);
  if (known != changed.end())
    known->second = std::move(set);
  else
    changed.emplace_back(id, std::move(set));
}

template <class Part, class Sets>
void follow(const Part& before, const Sets& sets_before, const Successions& known, const Part& now,
            Sets& sets, const std::function<upstream::SetId(const std::string&)>& id_of, Duration longest,
            Successions& out, ServerSets& changed) {
  const TimePoint time = std::chrono::steady_clock::now();
  const Following following(before, sets_before, now, sets);
  following.inherit();
  for (const auto& [name, by] : following.left()) out.emplace(name, Succession{by, {}});
  out.insert(known.begin(), known.end());
  following.erase_in_use(out);
  for (auto at = out.begin(); at != out.end();) {
    auto& [name, succession] = *at;
    const auto left = sets_before.find(name);
    if (sets.contains(name)) {
      succession.gone.reset();
    } else if (!succession.gone && left != sets_before.end()) {
      succession.gone = time;
      auto made = signpost(*left->second);
      made->successor = id_of(succession.by);
      put(changed, id_of(name), std::move(made));
    } else if (!succession.gone || time - *succession.gone >= longest) {
      put(changed, id_of(name), nullptr);
      at = out.erase(at);
      continue;
    }
    ++at;
  }
  // Of services that are still there, their servers on the way out.
  for (auto& [name, set] : sets) {
    const auto succession = out.find(name);
    const auto successor =
        succession == out.end() ? std::nullopt : std::optional(id_of(succession->second.by));
    if (set->successor == successor) continue;
    auto made = std::make_shared<ServerSet>(*set);
    made->successor = successor;
    set = std::move(made);
    put(changed, id_of(name), set);
  }
}

}  // namespace

void follow_departures(Compiler& compiler, const Snapshot& previous, const model::Dynamic& dynamic,
                       Duration longest, Snapshot& out) {
  follow(
      previous.dynamic->http, previous.sets, previous.successions, dynamic.http, out.sets,
      [&](const std::string& name) { return compiler.set_id(name); }, longest, out.successions,
      out.changed_sets);
  follow(
      previous.dynamic->tcp, previous.tcp_sets, previous.tcp_successions, dynamic.tcp, out.tcp_sets,
      [&](const std::string& name) { return compiler.tcp_set_id(name); }, longest, out.tcp_successions,
      out.changed_sets);
}

}  // namespace fairlead::runtime
