#pragma once

#include "engine/codec/h2/flood_guard.h"
#include "engine/event/loop.h"
#include "engine/exchange/jobs.h"
#include "engine/net/listener.h"
#include "engine/runtime/connection.h"
#include "engine/runtime/connection_log.h"
#include "engine/runtime/open_connections.h"
#include "engine/runtime/snapshot.h"
#include "engine/udp/entry_point.h"
#include "engine/upstream/pools.h"

#include <array>
#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <vector>

namespace fairlead::runtime {

class Worker;

// Numbers of one worker that others may read: single-writer relaxed stores.
struct WorkerGauges {
  std::atomic<std::uint64_t> connections = 0;  // open client connections
  std::atomic<std::uint64_t> requests = 0;     // exchanges that ended
  std::atomic<std::uint64_t> refused = 0;      // malformed requests, connections over the memory budget
  // HTTP/2 connections that were ended for a flood, by its kind.
  std::array<std::atomic<std::uint64_t>, codec::h2::kFloods> floods{};
};

// A snapshot while one worker uses it: a count that only this worker touches. The last reference of an old
// one is handed back, because freeing 100,000 routers would stall requests.
class PinnedSnapshot final : public exchange::Pinned {
 public:
  PinnedSnapshot(Worker& worker, std::shared_ptr<const Snapshot> snapshot)
      : worker_(worker), snapshot_(std::move(snapshot)) {}
  const std::shared_ptr<const Snapshot>& shared() const { return snapshot_; }
  const Snapshot& operator*() const { return *snapshot_; }
  const Snapshot* operator->() const { return snapshot_.get(); }
  void pin() { ++count_; }
  void unpin() override;
  // No longer the one in force: goes when the last exchange lets go.
  void retire();

 private:
  Worker& worker_;
  std::shared_ptr<const Snapshot> snapshot_;
  std::uint64_t count_ = 0;
  bool retired_ = false;
};

// One worker's part of an entry point.
class WorkerEntryPoint {
 public:
  WorkerEntryPoint(Worker& worker, std::string name, int listener);
  ~WorkerEntryPoint();
  WorkerEntryPoint(const WorkerEntryPoint&) = delete;
  WorkerEntryPoint& operator=(const WorkerEntryPoint&) = delete;

  const std::string& name() const { return name_; }
  // Takes what waits in the queue, then no more.
  void stop_accepting();
  // No connection carries another request after the one it is at.
  void drain();
  void close_all();
  std::size_t connections() const { return count_; }

  // An entry point that left the configuration: what is still open goes on with the last one that had it.
  void keep_last(const std::shared_ptr<const Snapshot>& snapshot);
  // As the configuration has it, else the last one that did; null where none did.
  const CompiledEntryPoint* compiled() const;

  void add(std::unique_ptr<Connection> connection);
  void remove(Connection& connection);

 private:
  void accept(Fd socket, const net::Address& peer);
  // One connection more, or less.
  void opened();
  void ended();

  Worker& worker_;
  std::string name_;
  std::shared_ptr<OpenConnections::Count> open_;
  Connection* first_ = nullptr;
  std::size_t count_ = 0;
  bool draining_ = false;
  std::shared_ptr<const Snapshot> last_;
  std::unique_ptr<net::Listener> listener_;
};

// A thread, its loop, its connections, its pools. It shares nothing it can change; everything reaches it by
// mailbox. All methods but the constructor, start(), post() and join() belong to its thread.
class Worker {
 public:
  // `give_back` takes old snapshots on any thread; `sink` hears of ended exchanges on this one.
  Worker(int index, int workers, exchange::RecordSink& sink, OpenConnections& open_connections,
         std::function<void(std::shared_ptr<const Snapshot>)> give_back);
  ~Worker();
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;

  void start();
  void post(event::Mailbox::Message message) { loop_.post(std::move(message)); }
  void stop() { loop_.stop(); }
  void join();

  void adopt(std::shared_ptr<const Snapshot> snapshot);
  void open_entry_point(const std::string& name, int listener);
  void open_udp_entry_point(const std::string& name, Fd socket, const udp::Limits& limits,
                            std::shared_ptr<udp::Counters> counters);
  // Stops accepting there; connections end with the request they are at.
  void drain_entry_point(const std::string& name);
  // Whether anything is still open at this entry point (or any, for an empty name).
  bool is_drained(const std::string& name) const;
  void close_entry_point(const std::string& name);
  // Cuts the UDP sessions that still wait for an answer, and gives their ports back.
  void close_draining_udp() { draining_udp_.clear(); }

  int index() const { return index_; }
  event::Loop& loop() { return loop_; }
  upstream::Pools& pools() { return pools_; }
  exchange::Jobs& jobs() { return jobs_; }
  WorkerGauges& gauges() { return gauges_; }
  // What came to nothing, for the log: make(peer) is the line that names this peer.
  template <class Make>
  void tell(spdlog::level::level_enum level, const net::Address& peer, Make make) {
    connection_log_.tell(level, loop_.now(), peer.text(), make);
  }
  OpenConnections& open_connections() { return open_connections_; }
  // The configuration in force; null before the first.
  PinnedSnapshot* snapshot() { return snapshot_; }

 private:
  friend class PinnedSnapshot;

  std::shared_ptr<const udp::Route> udp_route(const std::string& name) const;

  int index_;
  event::Loop loop_;
  upstream::Pools pools_;
  Scope background_;
  exchange::Jobs jobs_;
  WorkerGauges gauges_;
  ConnectionLog connection_log_;
  OpenConnections& open_connections_;
  std::function<void(std::shared_ptr<const Snapshot>)> give_back_;
  PinnedSnapshot* snapshot_ = nullptr;
  std::map<std::string, std::unique_ptr<WorkerEntryPoint>> entry_points_;
  std::vector<std::unique_ptr<WorkerEntryPoint>> draining_;
  std::map<std::string, std::unique_ptr<udp::EntryPoint>> udp_entry_points_;
  std::vector<std::unique_ptr<udp::EntryPoint>> draining_udp_;
  std::thread thread_;
};

}  // namespace fairlead::runtime
