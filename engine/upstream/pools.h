#pragma once

#include "engine/event/loop.h"
#include "engine/upstream/pool.h"
#include "engine/upstream/server_state.h"

#include <cstdint>
#include <list>
#include <memory>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

namespace fairlead::upstream {

// One worker's upstream side: its pools, and the server sets that balancers look up at every pick. Routes are
// pinned per request, servers are not: a retry that started before a container was replaced sees the new one.
class Pools {
 public:
  // `workers`: the limit of idle connections is shared out among them.
  Pools(event::Loop& loop, int workers) : loop_(loop), workers_(workers) {}
  Pools(const Pools&) = delete;
  Pools& operator=(const Pools&) = delete;

  // One service on this worker.
  struct Local {
    std::shared_ptr<const ServerSet> set;
    std::vector<Pool*> pools;  // one per server of the set; none for TCP
  };

  // Null when no such service exists any more. Valid until the caller suspends.
  const Local* find(SetId id) const { return id < sets_.size() && sets_[id].set ? &sets_[id] : nullptr; }
  // The same, where the service has no server any more and a successor: of that one, whose number `id`
  // becomes.
  const Local* find_successor(SetId& id) const {
    const Local* local = find(id);
    while (local && local->set->successor && !local->set->any_usable()) {
      id = *local->set->successor;
      local = find(id);
    }
    return local;
  }
  // Replaces these sets (a null one is gone); connections to servers that left are retired. The caller hands
  // over large changes in portions, so that no tick gets long.
  void adopt(std::span<const std::pair<SetId, std::shared_ptr<const ServerSet>>> sets);
  // States of servers of these services changed: wakes what waits, closes idle connections to servers that
  // drain. A server that is gone may have had no time to say so: whoever waits for it hears of it soon.
  void states_changed(std::span<const SetId> changed);

  // A client that had logins of its own at servers is gone.
  void forget_client(std::uint64_t client);
  // The pool for a server outside of any service: forwardAuth, health checks. It stays while it has a guest.
  Pool& pool(const ServerAddress& address, const TransportOptions& options);
  std::size_t size() const { return pools_.size(); }

  // Resumes when states or sets changed, at the latest at `deadline`.
  class Change final : event::TimerUser {
   public:
    Change(Pools& pools, TimePoint deadline);
    ~Change();
    Change(const Change&) = delete;
    Change& operator=(const Change&) = delete;
    bool await_ready() const { return false; }
    void await_suspend(std::coroutine_handle<> handle);
    void await_resume() {}

   private:
    friend class Pools;
    void on_timer(event::Timer&) override;
    Pools& pools_;
    TimePoint deadline_;
    event::Timer timer_;
    std::coroutine_handle<> handle_;
    std::list<Change*>::iterator at_;
    bool waiting_ = false;
  };
  Change change(TimePoint deadline) { return {*this, deadline}; }

  // A connection to a server that no pool holds, while this object lives: one of a TCP session.
  class Outside {
   public:
    Outside(Pools& pools, std::shared_ptr<const ServerState> server, net::Transport& transport);
    ~Outside() { pools_.outside_.erase(at_); }
    Outside(const Outside&) = delete;
    Outside& operator=(const Outside&) = delete;

   private:
    friend class Pools;
    Pools& pools_;
    std::shared_ptr<const ServerState> server_;
    net::Transport& transport_;
    std::list<Outside*>::iterator at_;
  };

  event::Loop& loop() { return loop_; }

 private:
  void wake_all();
  void sweep();
  Pool& find_or_make(const ServerAddress& address, const TransportOptions& options);

  event::Loop& loop_;
  int workers_;
  std::vector<Local> sets_;
  std::unordered_map<std::string, std::unique_ptr<Pool>> pools_;
  std::size_t sweep_at_ = 0;  // so many pools
  std::list<Change*> waiting_;
  std::list<Outside*> outside_;
};

}  // namespace fairlead::upstream
