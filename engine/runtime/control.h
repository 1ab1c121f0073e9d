#pragma once

#include "engine/base/channel.h"
#include "engine/exchange/jobs.h"
#include "engine/model/dynamic.h"
#include "engine/model/merge.h"
#include "engine/model/static.h"
#include "engine/runtime/compile.h"
#include "engine/runtime/publisher.h"
#include "engine/runtime/worker.h"
#include "engine/service/health_check.h"
#include "engine/tcp/health_check.h"

#include <atomic>
#include <functional>
#include <future>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <variant>
#include <vector>

namespace fairlead::runtime {

// The control side of the engine: joins what the providers say, validates, compiles and publishes, on a
// thread of its own. Any thread may call it.
class Control {
 public:
  // `workers` ≥ 1. `sink` hears of ended exchanges on the workers' threads and outlives this object.
  Control(int workers, exchange::RecordSink& sink, InternalServices internal);
  ~Control();
  Control(const Control&) = delete;
  Control& operator=(const Control&) = delete;

  // Begins to serve. Entry points open once every provider of `expected` has spoken, or after a second: a
  // restart then answers with routes, not with 404.
  void start(std::shared_ptr<const model::Static> install, std::set<std::string> expected);
  // A changed install configuration; what could not be applied comes back in sentences.
  std::vector<std::string> change_install(std::shared_ptr<const model::Static> install);

  // Hears of every snapshot that all workers serve, on the control thread. To be set before start().
  void on_applied(std::function<void(const std::shared_ptr<const Snapshot>&)> hook) {
    applied_ = std::move(hook);
  }

  // The whole configuration of one provider; null takes it away.
  void publish(std::string provider, std::shared_ptr<const model::Dynamic> config);
  // A state alone: applied at once, and true until the provider's next configuration.
  void server_state(std::string provider, std::string url, model::ServerState state,
                    std::vector<model::Reason> reasons);

  // No new requests; returns when those in flight have ended, or after the graceTimeOut of their entry
  // points. True when nothing was cut.
  bool drain();
  void stop();

  // What all workers serve; null before the first.
  std::shared_ptr<const Snapshot> current() const;
  std::vector<std::unique_ptr<Worker>>& workers() { return workers_; }
  const OpenConnections& open_connections() const { return open_connections_; }
  // HTTP/2 connections that were ended for a flood, by the kind of frame.
  std::vector<std::pair<std::string_view, std::uint64_t>> http2_floods() const;
  const UdpCounts& udp_counts() const { return publisher_.udp_counts(); }
  // Certificates and challenges of all workers.
  const std::shared_ptr<tls::Tables>& tls_tables() const { return compiler_.tls_tables(); }
  // An entry point could not be opened at the start: the program must not seem to run.
  bool start_failed() const { return start_failed_.load(); }
  // All entry points are open for the first time.
  bool opened() const { return opened_.load(); }
  // Whether every worker has come round since the last call. For one thread.
  bool all_turn();
  std::uint64_t reloads() const { return reloads_.load(std::memory_order_relaxed); }

 private:
  struct Config {
    std::string provider;
    std::shared_ptr<const model::Dynamic> config;
  };
  struct State {
    std::string provider;
    std::string url;
    model::Standing standing;
  };
  struct Install {
    std::shared_ptr<const model::Static> install;
    std::promise<std::vector<std::string>>* done;
  };
  struct Drain {
    std::promise<bool>* done;
  };
  struct Health {
    std::string service;
    bool tcp = false;
  };
  struct Drop {
    std::shared_ptr<const Snapshot> snapshot;
  };
  using Message = std::variant<Config, State, Health, Install, Drain, Drop>;

  void run(std::set<std::string> expected);
  void handle(Message message, bool& rebuild);
  void apply_states();
  void rebuild();
  void open_entry_points();
  void open_closed_again();
  void finish_drain(std::promise<bool>& done);
  bool hardly_works(TimePoint now);
  void give_back_memory(TimePoint now);

  Channel<Message> messages_;
  OpenConnections open_connections_;
  std::vector<std::unique_ptr<Worker>> workers_;
  // One more, without listeners: what is no request runs there. Its checks go before it does.
  std::unique_ptr<Worker> side_worker_;
  std::unique_ptr<service::HealthChecks> checks_;
  std::unique_ptr<tcp::HealthChecks> tcp_checks_;
  Compiler compiler_;
  Publisher publisher_;
  // Of the control thread.
  std::shared_ptr<const model::Static> install_;
  std::map<std::string, std::shared_ptr<const model::Dynamic>> configs_;
  Compiler::Phases states_;                  // told and not yet applied
  std::map<std::string, model::Told> told_;  // by provider: what its configuration does not say yet
  bool open_ = false;
  std::vector<std::string> closed_;  // why, of entry points that could not be opened when the install changed
  bool draining_ = false;
  std::size_t most_used_ = 0;  // of buffered bytes, since memory was given back last
  TimePoint give_back_at_{};   // not before
  TimePoint looked_at_{};      // at the processor's time, which was then:
  Duration worked_{};
  std::function<void(const std::shared_ptr<const Snapshot>&)> applied_;

  mutable std::mutex mutex_;
  std::shared_ptr<const Snapshot> current_;  // guarded by mutex_
  std::atomic<std::uint64_t> reloads_ = 0;
  std::atomic<bool> start_failed_ = false;
  std::atomic<bool> opened_ = false;
  std::atomic<int> to_turn_ = 0;  // workers that have not come round yet
  std::thread thread_;
};

}  // namespace fairlead::runtime
