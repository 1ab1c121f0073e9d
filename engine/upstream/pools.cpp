#include "engine/upstream/pools.h"

#include <fmt/format.h>

#include <algorithm>

namespace fairlead::upstream {
namespace {
constexpr std::size_t kFewPools = 64;
}

Pools::Change::Change(Pools& pools, TimePoint deadline)
    : pools_(pools), deadline_(deadline), timer_(pools.loop_.timers(), *this) {}

Pools::Change::~Change() {
  if (waiting_) pools_.waiting_.erase(at_);
}

void Pools::Change::await_suspend(std::coroutine_handle<> handle) {
  handle_ = handle;
  waiting_ = true;
  at_ = pools_.waiting_.insert(pools_.waiting_.end(), this);
  timer_.arm(deadline_);
}

void Pools::Change::on_timer(event::Timer&) {
  waiting_ = false;
  pools_.waiting_.erase(at_);
  handle_.resume();
}

Pools::Outside::Outside(Pools& pools, std::shared_ptr<const ServerState> server, net::Transport& transport)
    : pools_(pools),
      server_(std::move(server)),
      transport_(transport),
      at_(pools.outside_.insert(pools.outside_.end(), this)) {}

void Pools::wake_all() {
  // A resumed request may wait again: it then stands behind the ones that are here now.
  for (std::size_t count = waiting_.size(); count > 0 && !waiting_.empty(); --count) {
    Change* change = waiting_.front();
    waiting_.pop_front();
    change->waiting_ = false;
    change->timer_.cancel();
    change->handle_.resume();
  }
}

// Nobody tells when a checked container or an address that a redirect named is asked for the last time.
Pool& Pools::pool(const ServerAddress& address, const TransportOptions& options) {
  if (pools_.size() >= sweep_at_) {
    sweep();
    sweep_at_ = std::max(kFewPools, 2 * pools_.size());
  }
  return find_or_make(address, options);
}

Pool& Pools::find_or_make(const ServerAddress& address, const TransportOptions& options) {
  const std::string key =
      fmt::format("{} {}:{} {:x}", static_cast<int>(address.scheme), address.host, address.port, options.key);
  auto& slot = pools_[key];
  if (!slot) {
    TransportOptions mine = options;
    if (mine.max_idle_per_host > 0) mine.max_idle_per_host = std::max(1, mine.max_idle_per_host / workers_);
    slot = std::make_unique<Pool>(loop_, address, std::move(mine));
  }
  return *slot;
}

void Pools::adopt(std::span<const std::pair<SetId, std::shared_ptr<const ServerSet>>> sets) {
  std::vector<Pool*> left;
  for (const auto& [id, set] : sets) {
    if (id >= sets_.size()) sets_.resize(id + 1);
    Local& local = sets_[id];
    if (local.set == set) continue;
    for (Pool* pool : local.pools)
      if (--pool->uses == 0) left.push_back(pool);
    local.set = set;
    local.pools.clear();
    if (!set || !set->transport) continue;
    for (const Server& server : set->servers) {
      Pool& used = find_or_make(server.address, *set->transport);
      ++used.uses;
      used.revive();
      local.pools.push_back(&used);
    }
  }
  bool retired = false;
  for (Pool* pool : left) {
    if (pool->uses > 0) continue;
    pool->retire();
    retired = true;
  }
  if (retired) sweep();
  wake_all();
}

void Pools::forget_client(std::uint64_t client) {
  for (const auto& [key, pool] : pools_) pool->forget_client(client);
}

// Pools of servers that are gone for good must not pile up over months of deployments.
void Pools::sweep() {
  std::erase_if(pools_, [](const auto& entry) { return entry.second->removable(); });
}

void Pools::states_changed(std::span<const SetId> changed) {
  const auto is_gone = [](const ServerState& state) {
    return state.phase.load(std::memory_order_relaxed) == Phase::Gone;
  };
  bool outside = false;
  for (const SetId id : changed) {
    const Local* local = find(id);
    if (!local) continue;
    if (!local->set->transport)
      outside = outside || std::ranges::any_of(local->set->servers,
                                               [&](const Server& server) { return is_gone(*server.state); });
    for (std::size_t i = 0; i < local->pools.size(); ++i) {
      const Phase phase = local->set->servers[i].state->phase.load(std::memory_order_relaxed);
      if (phase != Phase::Draining && phase != Phase::Gone) continue;
      // What is idle closes now, what is busy when it comes back; new connections stay possible.
      local->pools[i]->retire();
      local->pools[i]->revive();
      if (phase == Phase::Gone) local->pools[i]->doubt();
    }
  }
  for (auto at = outside_.begin(); outside && at != outside_.end(); ++at)
    if (is_gone(*(*at)->server_)) (*at)->transport_.doubt_peer();
  wake_all();
}

}  // namespace fairlead::upstream
