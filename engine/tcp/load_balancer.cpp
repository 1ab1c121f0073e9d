#include "engine/tcp/load_balancer.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

namespace fairlead::tcp {
namespace {

constexpr auto kRefusedPause = std::chrono::milliseconds(50);  // between rounds while a successor is awaited
constexpr std::size_t kMaxTries = 256;
constexpr std::size_t kMaxReasons = 10;  // servers whose illness the log tells

// A connection's place among those that wait; not taken when there are enough.
class HeldPlace {
 public:
  HeldPlace(std::shared_ptr<upstream::ServiceState> state, std::uint32_t limit) : state_(std::move(state)) {
    taken = state_->held.fetch_add(1, std::memory_order_relaxed) < limit;
    if (!taken) state_->held.fetch_sub(1, std::memory_order_relaxed);
  }
  HeldPlace(const HeldPlace&) = delete;
  HeldPlace& operator=(const HeldPlace&) = delete;
  ~HeldPlace() {
    if (taken) state_->held.fetch_sub(1, std::memory_order_relaxed);
  }
  bool taken = false;

 private:
  std::shared_ptr<upstream::ServiceState> state_;
};

}  // namespace

int pick(const upstream::ServerSet& set, const service::Tried& tried) {
  const auto index = upstream::take_turn(set.state->position, set.schedule, [&](std::uint16_t at) {
    return service::can_take(set.servers[at], tried);
  });
  return index ? *index : service::kNoServer;
}

Error LoadBalancer::unavailable(const Client& client, upstream::SetId set) const {
  std::string detail = fmt::format("service {}: no available server", options_.name);
  if (const upstream::Pools::Local* local = client.pools.find(set)) {
    for (const upstream::Obstacle& obstacle : local->set->obstacles)
      detail += fmt::format("; {}", obstacle.full_text);
    for (std::size_t i = 0; i < std::min(local->set->servers.size(), kMaxReasons); ++i) {
      const upstream::Health& health = local->set->servers[i].state->health;
      if (health.good()) continue;
      const upstream::Illness illness = health.illness();
      detail += fmt::format(
          "; {}: unhealthy for {} s: {}", local->set->servers[i].address.url,
          std::chrono::duration_cast<std::chrono::seconds>(client.loop.now() - illness.began).count(),
          illness.reason);
    }
  }
  return {503, Fault::Upstream, true, std::move(detail)};
}

// Waits for a successor of the last server, in a service of another name where the router has one now: `set`.
// True when there may be one.
Task<bool> LoadBalancer::hold(Client& client, TimePoint until, upstream::SetId& set) const {
  const upstream::SetId former = set;
  const upstream::Pools::Local* local = client.pools.find_successor(set);
  if (!client.may_hold || !local || !local->set->holds || options_.hold.requests == 0) co_return false;
  if (set != former && local->set->any_usable()) co_return true;
  const TimePoint left{Duration(local->set->state->last_left.load(std::memory_order_relaxed))};
  if (left == TimePoint{} || client.loop.now() - left > options_.hold.after) co_return false;
  const HeldPlace place(local->set->state, options_.hold.requests);
  if (!place.taken) co_return false;
  for (;;) {
    if (client.loop.now() >= until) co_return false;
    upstream::Pools::Change change = client.pools.change(until);
    co_await change;
    local = client.pools.find_successor(set);
    if (!local) co_return false;
    if (local->set->any_usable()) co_return true;
  }
}

Task<Result<Upstream>> LoadBalancer::connect(Client& client) const {
  const TimePoint hold_until = client.loop.now() + options_.hold.time;
  upstream::SetId set_id = options_.set;
  service::Tried tried;
  std::optional<Error> last;
  bool hopeless = false;  // a server is there, and what is wrong with it stays so: TLS that does not verify
  for (std::size_t tries = 0; tries < kMaxTries;) {
    const upstream::Pools::Local* local = client.pools.find(set_id);
    const int index = local ? pick(*local->set, tried) : service::kNoServer;
    if (index == service::kNoServer) {
      if (hopeless) break;
      if (last && client.may_hold && local && local->set->holds && local->set->any_usable() &&
          client.loop.now() < hold_until && options_.hold.requests > 0) {
        // Every server refused, although none has been reported gone yet: its event is on its way.
        local->set->state->last_left.store(client.loop.now().time_since_epoch().count(),
                                           std::memory_order_relaxed);
        co_await client.loop.sleep(kRefusedPause);
        tried.clear();
        continue;
      }
      const bool again = co_await hold(client, hold_until, set_id);
      if (!again) break;
      tried.clear();
      continue;
    }
    ++tries;
    // The set may be swapped meanwhile: what is needed of the server is held on its own.
    const std::shared_ptr<const upstream::ServerSet> set = local->set;
    const upstream::Server& server = set->servers[static_cast<std::size_t>(index)];
    auto transport = co_await tcp::connect(client.loop, server.address, server.tls, *options_.transport,
                                           announcement(*options_.transport, *client.transport));
    if (transport) {
      auto known = std::make_unique<upstream::Pools::Outside>(client.pools, server.state, **transport);
      co_return Upstream{std::move(*transport), server.address.url, options_.transport->termination_delay,
                         std::move(known)};
    }
    last = std::move(transport.error());
    hopeless = hopeless || !last->retryable;
    tried.push_back(server.state.get());
  }
  if (!last) co_return std::unexpected(unavailable(client, set_id));
  last->detail = fmt::format("service {}: {}", options_.name, last->detail);
  co_return std::unexpected(std::move(*last));
}

}  // namespace fairlead::tcp
