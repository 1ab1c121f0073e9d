#include "providers/docker/catalog.h"

#include "providers/docker/port_choice.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <set>

namespace fairlead::providers::docker {
namespace {

using namespace std::chrono_literals;
using model::ServerState;

constexpr Duration kStartPatience = 10s;     // for a port to accept, without a HEALTHCHECK
constexpr Duration kChoosePatience = 500ms;  // for a port to answer HTTP, of containers that serve already
constexpr Duration kRestPatience = 1s;       // for HTTP or the other ports, after the first one accepted
constexpr Duration kSlowPatience = 5s;       // for the first answer of a port that accepted a request

bool can_settle(const Tracked& t) {
  return t.container.running == Running::Running && !t.ended && !t.removed &&
         (t.container.health == Health::None || t.container.health == Health::Healthy);
}

bool serves_already(const Tracked& t) { return t.from_start || t.container.health == Health::Healthy; }

std::string ports_of(const std::vector<ProbeTarget>& targets) {
  std::string out;
  for (const ProbeTarget& target : targets) out += fmt::format("{}{}", out.empty() ? "" : ", ", target.port);
  return out;
}

bool is_alive(const Container& c) { return c.running == Running::Running || c.running == Running::Paused; }

bool is_new_run(const Container& before, const Container& after) {
  return before.started != after.started || (!is_alive(before) && is_alive(after));
}

}  // namespace

Catalog::Catalog(Settings settings, std::map<std::string, Place> places) : settings_(std::move(settings)) {
  for (auto& [name, place] : places) places_.emplace(name, std::move(place));
}

Catalog::Entry* Catalog::find(std::string_view host, std::string_view id) {
  const auto found = entries_.find(Key(host, id));
  return found == entries_.end() ? nullptr : &found->second;
}

const Container* Catalog::find_container(const std::string& host, std::string_view id_or_name) const {
  const auto exact = entries_.find(Key(host, id_or_name));
  if (exact != entries_.end() && !exact->second.tracked.removed) return &exact->second.tracked.container;
  for (auto at = entries_.lower_bound(Key(host, "")); at != entries_.end() && at->first.first == host; ++at) {
    const Tracked& t = at->second.tracked;
    if (!t.removed && t.container.name == id_or_name) return &t.container;
  }
  return nullptr;
}

Surroundings Catalog::surroundings(const std::string& host) const {
  const Place& place = places_.at(host);
  Surroundings out;
  out.use_bind_port_ip = place.use_bind_port_ip;
  out.network = place.network;
  out.host_mode_address = place.host_mode_address;
  out.host_address = place.address;
  out.find = [this, host](std::string_view id) { return find_container(host, id); };
  const Container* own = place.own_id.empty() ? nullptr : find_container(host, place.own_id);
  out.remote = place.remote && own == nullptr;
  for (int i = 0; own != nullptr && !own->network_of().empty() && i < 4; ++i)
    own = find_container(host, own->network_of());
  if (own != nullptr && own->host_mode()) {
    out.host_mode_address = "127.0.0.1";
  } else if (own != nullptr) {
    out.networks.emplace();
    for (const Attachment& a : own->attachments) out.networks->insert(a.name);
  }
  return out;
}

Effects Catalog::seen(Container container, bool first_list, Moment now, TimePoint asked) {
  Effects effects;
  if (!places_.contains(container.host)) return effects;
  auto [at, fresh] = entries_.try_emplace(Key(container.host, container.id));
  Entry& entry = at->second;
  Tracked& t = entry.tracked;
  const bool over = t.removed || t.ended;
  const bool disproved = over && asked > t.over_since && (t.removed || container.running == Running::Running);
  if (t.removed && !disproved) return effects;  // this answer is older than the removal
  if (disproved) {
    t.removed.reset();
    entry.forget_at.reset();
  }
  if (!fresh && t.container == container && !t.ended && !disproved) return effects;
  const bool moved =
      t.container.attachments != container.attachments || t.container.running != container.running;
  const bool renewed = fresh || disproved || is_new_run(t.container, container);
  if (renewed) {
    begin_run(t, first_list && container.running == Running::Running, now.steady);
    entry.trying_since.reset();
  }
  t.container = std::move(container);
  rebuild(entry, now, effects);
  if (renewed || moved) rebuild_dependents(t.container, now, effects);
  if (fresh)
    for (const EarlyStops::Stop& stop : early_stops_.take(t.container.host, t.container.id)) {
      const Effects more = stopping(t.container.host, t.container.id, stop.signal, stop.now, stop.told);
      effects.changed = effects.changed || more.changed;
      effects.servers.insert(effects.servers.end(), more.servers.begin(), more.servers.end());
    }
  return effects;
}

Effects Catalog::started(std::string_view host, std::string_view id, Moment now, WallTime told) {
  Effects effects;
  early_stops_.take(host, id);
  Entry* entry = find(host, id);
  if (entry == nullptr) return effects;
  Tracked& t = entry->tracked;
  t.start_told = std::max(t.start_told, told);
  if (t.stopping.empty() || t.ended || t.stop_told == WallTime{} || told <= t.stop_told) return effects;
  begin_run(t, false, now.steady);
  entry->trying_since.reset();
  update(*entry, now, effects);
  return effects;
}

Effects Catalog::stopping(std::string_view host, std::string_view id, std::string_view signal, Moment now,
                          WallTime told) {
  Effects effects;
  Entry* entry = find(host, id);
  if (entry == nullptr) {
    early_stops_.add(host, id, {std::string(signal), now, told});
    return effects;
  }
  // A paused one that is told to stop is unpaused for it.
  if (!is_alive(entry->tracked.container)) return effects;
  if (is_of_an_earlier_run(entry->tracked, told)) return effects;
  if (!signal.empty() && !is_stop_signal(signal, entry->tracked.container)) return effects;
  Tracked& t = entry->tracked;
  t.stops_until = std::max(t.stops_until, now.steady + stop_patience(signal, t.container));
  t.stop_told = std::max(t.stop_told, told);
  if (!t.stopping.empty()) return effects;
  t.stopping = signal.empty() ? "stop" : signal_name(signal);
  update(*entry, now, effects);
  return effects;
}

Effects Catalog::ended(std::string_view host, std::string_view id, int exit_code, Moment now, WallTime told) {
  Effects effects;
  early_stops_.take(host, id);
  Entry* entry = find(host, id);
  if (entry == nullptr || entry->tracked.ended) return effects;
  if (is_of_an_earlier_run(entry->tracked, told)) return effects;
  entry->tracked.ended = true;
  entry->tracked.over_since = now.steady;
  entry->tracked.container.exit_code = exit_code;
  update(*entry, now, effects);
  return effects;
}

Effects Catalog::removed(std::string_view host, std::string_view id, Moment now) {
  Effects effects;
  early_stops_.take(host, id);
  Entry* entry = find(host, id);
  if (entry == nullptr || entry->tracked.removed) return effects;
  entry->tracked.removed = now.wall;
  entry->tracked.over_since = now.steady;
  entry->forget_at = now.steady + settings_.remember_removed;
  update(*entry, now, effects);
  effects.changed = effects.changed || entry->built.exposed;
  rebuild_dependents(entry->tracked.container, now, effects);
  return effects;
}

Effects Catalog::probed(std::string_view host, std::string_view id, const std::vector<ProbeResult>& results,
                        Moment now) {
  Effects effects;
  Entry* entry = find(host, id);
  if (entry == nullptr || !can_settle(entry->tracked) || !entry->trying_since || results.empty())
    return effects;
  Tracked& t = entry->tracked;
  const bool choosing = entry->built.ambiguous;
  if (choosing ? consider(t, results) : std::ranges::all_of(results, &ProbeResult::accepts)) {
    finish_trying(*entry, t.likely, now, effects);
  } else if (std::ranges::any_of(results, &ProbeResult::accepts)) {
    if (!t.first_answer) t.first_answer = now.steady;
    if (now.steady - *t.first_answer >= (t.awaits_answer ? kSlowPatience : kRestPatience))
      finish_trying(*entry, t.likely, now, effects);
  }
  return effects;
}

void Catalog::finish_trying(Entry& entry, std::optional<std::uint16_t> chosen, Moment now, Effects& effects) {
  Tracked& t = entry.tracked;
  t.settled = true;
  t.chosen = chosen;
  entry.trying_since.reset();
  if (entry.built.ambiguous) {
    const auto used = choose_port(t.container, true, chosen);
    spdlog::info(
        "docker: {} exposes several ports; {} is used{}; the label …loadbalancer.server.port would say it",
        t.container.name, used.value_or(0), chosen ? ", which answers HTTP" : "");
    rebuild(entry, now, effects);
  }
  update(entry, now, effects);
}

Duration Catalog::patience(const Entry& entry) const {
  if (entry.tracked.settled) return kSlowPatience;
  return serves_already(entry.tracked) ? kChoosePatience : kStartPatience;
}

Effects Catalog::tick(Moment now) {
  Effects effects;
  for (auto at = entries_.begin(); at != entries_.end();) {
    Entry& entry = at->second;
    if (entry.forget_at && *entry.forget_at <= now.steady) {
      effects.changed = effects.changed || entry.built.exposed;
      at = entries_.erase(at);
      continue;
    }
    if (const auto until = stops_until(entry.tracked); until && *until <= now.steady) {
      spdlog::info("docker: {} still runs long after {}; it serves again", entry.tracked.container.name,
                   entry.tracked.stopping);
      entry.tracked.stopping.clear();
      update(entry, now, effects);
    }
    if (entry.trying_since && *entry.trying_since + patience(entry) <= now.steady) {
      if (!entry.built.ambiguous)
        spdlog::warn(
            "docker: {} accepts no connection on port {} after 10s; taken as ready; does its program listen "
            "there, on all addresses? The label …loadbalancer.server.port would say another port",
            entry.tracked.container.name, ports_of(entry.built.probes));
      // What serves already must not wait for a slow answer: it serves by a guess meanwhile.
      if (!entry.tracked.settled && entry.tracked.awaits_answer && serves_already(entry.tracked)) {
        entry.tracked.settled = true;
        update(entry, now, effects);
      } else {
        finish_trying(entry, entry.tracked.likely, now, effects);
      }
    }
    ++at;
  }
  return effects;
}

std::optional<TimePoint> Catalog::next_tick() const {
  std::optional<TimePoint> next;
  for (const auto& [key, entry] : entries_) {
    if (const auto until = stops_until(entry.tracked); until && (!next || *until < *next)) next = until;
    if (entry.forget_at && (!next || *entry.forget_at < *next)) next = entry.forget_at;
    if (entry.trying_since && (!next || *entry.trying_since + patience(entry) < *next))
      next = *entry.trying_since + patience(entry);
  }
  return next;
}

std::vector<ProbeJob> Catalog::probes() const {
  std::vector<ProbeJob> out;
  for (const auto& [key, entry] : entries_)
    if (entry.trying_since && entry.tracked.stopping.empty())
      out.push_back({key.first, key.second, entry.built.probes, entry.built.ambiguous});
  return out;
}

bool Catalog::choosing_ports() const {
  return std::ranges::any_of(entries_, [](const auto& e) {
    return e.second.trying_since && !e.second.tracked.settled && e.second.tracked.from_start &&
           e.second.built.ambiguous;
  });
}

// Builds the container's piece again and follows what that changes.
void Catalog::rebuild(Entry& entry, Moment now, Effects& effects) {
  const bool was_exposed = entry.built.exposed;
  const std::string was_filtered = std::move(entry.built.filtered);
  const std::vector<ServerOf> servers = std::move(entry.built.servers);
  const Surroundings around = surroundings(entry.tracked.container.host);
  entry.built = build(entry.tracked.container, around, settings_, entry.tracked.chosen);
  if (!entry.built.filtered.empty() && entry.built.filtered != was_filtered)
    spdlog::debug("{}: {}: {}", settings_.swarm ? "swarm" : "docker", entry.built.filtered,
                  entry.tracked.container.name);
  say_what_is_new(entry);
  effects.changed = effects.changed || was_exposed || entry.built.exposed;
  update(entry, now, effects);
  leave(entry.tracked.container.host, around, servers, entry.built.servers, effects);
}

// Addresses that lead nowhere any more, because this container, the one whose network it uses, or Fairlead
// left a network: what is sent there gets no answer, and no word that it is so.
void Catalog::leave(const std::string& host, const Surroundings& around, const std::vector<ServerOf>& before,
                    const std::vector<ServerOf>& now, Effects& effects) const {
  std::set<std::string_view> told;
  for (const ServerOf& server : before) {
    if (server.network_ip.empty() || std::ranges::find(now, server.url, &ServerOf::url) != now.end())
      continue;
    const bool reachable = std::ranges::any_of(entries_, [&](const auto& e) {
      const Tracked& t = e.second.tracked;
      return e.first.first == host && !t.removed &&
             std::ranges::any_of(t.container.attachments, [&](const Attachment& a) {
               return (a.ipv4 == server.network_ip || a.ipv6 == server.network_ip) &&
                      (!around.networks || around.networks->contains(a.name));
             });
    });
    if (!reachable && told.insert(server.url).second)
      effects.servers.push_back({server.url, ServerState::Gone, {}});
  }
}

// Each fault once.
void Catalog::say_what_is_new(Entry& entry) const {
  std::vector<model::Reason> now = faults(entry.built, entry.tracked.container.name);
  for (const model::Reason& reason : now)
    if (std::ranges::find(entry.said, reason) == entry.said.end())
      spdlog::warn("{}: {}{}{}", settings_.swarm ? "swarm" : "docker", reason.text,
                   reason.hint.empty() ? "" : "; ", reason.hint);
  entry.said = std::move(now);
}

// Others see `changed` through network_mode container:X, or because it is Fairlead's own container.
void Catalog::rebuild_dependents(const Container& changed, Moment now, Effects& effects) {
  const std::string& own = places_.at(changed.host).own_id;
  const bool all = !own.empty() && own == changed.id;
  for (auto& [key, entry] : entries_) {
    if (key.first != changed.host || key.second == changed.id) continue;
    const std::string_view other = entry.tracked.container.network_of();
    if (all || (!other.empty() && (other == changed.id || other == changed.name)))
      rebuild(entry, now, effects);
  }
}

// Decides whether starting is over without any probing.
void Catalog::settle(Entry& entry, Moment now) {
  Tracked& t = entry.tracked;
  if (!can_settle(t)) {
    entry.trying_since.reset();
    return;
  }
  if (t.settled) return;
  if (entry.built.probes.empty() || (serves_already(t) && !entry.built.ambiguous)) {
    t.settled = true;
    entry.trying_since.reset();
  } else if (!entry.trying_since) {
    entry.trying_since = now.steady;
  }
}

void Catalog::update(Entry& entry, Moment now, Effects& effects) {
  settle(entry, now);
  Tracked& t = entry.tracked;
  State next = state_of(t);
  if (next == t.state) return;
  const bool other = next.server != t.state.server;
  if (other || t.since == WallTime{} || next.reasons.empty() || t.state.reasons.empty() ||
      next.reasons[0].kind != t.state.reasons[0].kind)
    t.since = now.wall;
  t.state = std::move(next);
  if (!entry.built.exposed) return;
  effects.changed = true;
  if (!other) return;
  std::set<std::string_view> urls;
  for (const ServerOf& server : entry.built.servers)
    if (!server.url.empty()) urls.insert(server.url);
  // Another container behind the same address (host mode) may still serve.
  for (const auto& [key, twin] : entries_)
    if (&twin != &entry && twin.tracked.state.server == ServerState::Ready)
      for (const ServerOf& server : twin.built.servers) urls.erase(server.url);
  for (const std::string_view url : urls)
    effects.servers.push_back({std::string(url), t.state.server, t.state.reasons});
}

bool Catalog::takes_part(const Entry& entry) const {
  if (!entry.built.exposed) return false;
  return !settings_.forget_stopped ||
         counts_when_forgetting(entry.tracked, entry.built.allow_non_running, settings_.allow_empty_services);
}

model::Dynamic Catalog::compose() {
  std::set<std::string> living;
  for (const auto& [key, entry] : entries_)
    if (takes_part(entry) && !entry.tracked.removed) living.insert(entry.tracked.container.owner());
  std::vector<Part> parts;
  for (const auto& [key, entry] : entries_) {
    if (!takes_part(entry)) continue;
    std::string owner = entry.tracked.container.owner();
    // A removed container is remembered for the sake of its routes, which its successor has now.
    if (entry.tracked.removed && living.contains(owner)) continue;
    parts.push_back({&entry.tracked, &entry.built, std::move(owner)});
  }
  return merge(parts, settings_.swarm ? "swarm" : "docker", holders_);
}

std::vector<std::string> Catalog::ids(std::string_view host) const {
  std::vector<std::string> out;
  for (const auto& [key, entry] : entries_)
    if (key.first == host && !entry.tracked.removed) out.push_back(key.second);
  return out;
}

}  // namespace fairlead::providers::docker
