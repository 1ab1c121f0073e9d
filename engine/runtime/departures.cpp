#include "engine/runtime/departures.h"

#include "engine/model/references.h"

#include <algorithm>
#include <chrono>
#include <functional>
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

  // Services that are gone, with the one that every router of theirs names now. Nobody knows by which router
  // or composite a request came: where they went different ways, or one went nowhere, there is none.
  std::map<std::string, std::string> moved() const {
    std::map<std::string, std::string> out;
    std::set<std::string> astray;
    for (const auto& [name, router] : before_.routers) {
      const std::string& service = router.options.service;
      if (!sets_before_.contains(service) || sets_.contains(service)) continue;
      const auto later = now_.routers.find(name);
      const bool goes_on = later != now_.routers.end() && later->second.owner == router.owner &&
                           !later->second.broken() && sets_.contains(later->second.options.service);
      if (!goes_on || out.try_emplace(service, later->second.options.service).first->second !=
                          later->second.options.service)
        astray.insert(service);
    }
    if (out.empty()) return out;
    const auto note = [&](const auto& elements) {
      for (const auto& [name, element] : elements)
        for (const model::Reference& reference : model::references(element.options))
          if (reference.target == model::Target::Service) astray.insert(reference.name);
    };
    note(before_.services);
    if constexpr (requires { model::references(before_.middlewares.begin()->second.options); })
      note(before_.middlewares);
    for (const std::string& service : astray) out.erase(service);
    return out;
  }

 private:
  const Part& before_;
  const Sets& sets_before_;
  const Part& now_;
  const Sets& sets_;
};

// What workers keep of a service that is gone: whoever waits there finds the way.
std::shared_ptr<const ServerSet> signpost(const ServerSet& left, upstream::SetId successor) {
  auto out = std::make_shared<ServerSet>();
  out->service = left.service;
  out->state = left.state;
  out->holds = left.holds;
  out->successor = successor;
  return out;
}

template <class Part, class Sets>
void follow(const Part& before, const Sets& sets_before, const Successions& signposts, const Part& now,
            const Sets& sets, const std::function<upstream::SetId(const std::string&)>& id_of,
            Duration longest, Successions& out, ServerSets& changed) {
  const TimePoint time = std::chrono::steady_clock::now();
  for (const auto& [name, since] : signposts) {
    if (sets.contains(name)) continue;
    if (time - since < longest)
      out.emplace(name, since);
    else
      changed.emplace_back(id_of(name), nullptr);
  }
  const Following following(before, sets_before, now, sets);
  following.inherit();
  for (const auto& [name, by] : following.moved()) {
    const auto gone = std::ranges::find(changed, id_of(name), &ServerSets::value_type::first);
    if (gone == changed.end()) continue;
    gone->second = signpost(*sets_before.find(name)->second, id_of(by));
    out.emplace(name, time);
  }
}

}  // namespace

void follow_departures(Compiler& compiler, const Snapshot& previous, const model::Dynamic& dynamic,
                       Duration longest, Snapshot& out) {
  follow(
      previous.dynamic->http, previous.sets, previous.signposts, dynamic.http, out.sets,
      [&](const std::string& name) { return compiler.set_id(name); }, longest, out.signposts,
      out.changed_sets);
  follow(
      previous.dynamic->tcp, previous.tcp_sets, previous.tcp_signposts, dynamic.tcp, out.tcp_sets,
      [&](const std::string& name) { return compiler.tcp_set_id(name); }, longest, out.tcp_signposts,
      out.changed_sets);
}

}  // namespace fairlead::runtime
