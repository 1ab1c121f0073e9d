#pragma once

#include "engine/exchange/jobs.h"
#include "engine/model/static.h"
#include "engine/observe/access_log.h"
#include "engine/observe/metrics.h"
#include "engine/runtime/exports.h"

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string_view>
#include <thread>
#include <unordered_map>
#include <utility>
#include <vector>

namespace fairlead::runtime {

// Where ended exchanges go: the access log, the counters and the traces, as the install configuration asks
// for them. One for all workers; each works on a part of its own that it finds by its thread, so requests
// share nothing but the number of the line.
class RecordSink final : public exchange::RecordSink {
 public:
  explicit RecordSink(const model::Static& install);
  ~RecordSink();
  RecordSink(const RecordSink&) = delete;
  RecordSink& operator=(const RecordSink&) = delete;

  // Control thread: what changed takes effect with each worker's next request. Counters start again only when
  // their buckets or header labels change.
  void configure(const model::Static& install);
  // SIGUSR1: the file was moved away.
  void reopen();
  // After the workers have ended: writes what waits, a few seconds at most.
  void finish();

  // Null when nothing counts.
  std::shared_ptr<observe::Metrics> metrics() const;
  // The counters of metrics.otlp; null when there is none.
  std::shared_ptr<observe::Metrics> pushed_metrics() const;
  std::uint64_t dropped_lines() const;
  // Records that no collector took, by what they are of: "traces", "access_log".
  std::vector<std::pair<std::string_view, std::uint64_t>> dropped_records() const;

  // Worker threads.
  void ended(const exchange::Exchange& x) override;
  void copied(const exchange::Exchange& x) override;
  bool wants_origin_fields() const override { return wants_origin_fields_.load(std::memory_order_relaxed); }

 private:
  class Part;

  struct Targets {
    std::shared_ptr<observe::AccessLog> log;      // null: off
    std::shared_ptr<observe::Metrics> metrics;    // null: off
    std::shared_ptr<observe::Metrics> pushed;     // metrics.otlp, with buckets of its own; null: off
    std::shared_ptr<telemetry::Exporter> traces;  // null: off
    std::shared_ptr<AccessExport> access;         // null: off
    bool operator==(const Targets&) const = default;
  };
  Targets targets() const;
  Part& part();

  const std::uint64_t id_;  // never used again by another sink: what a thread remembers cannot be mistaken
  std::atomic<std::uint64_t> generation_ = 1;
  std::atomic<bool> wants_origin_fields_ = false;
  mutable std::mutex mutex_;
  Targets targets_;
  std::optional<model::Tracing> tracing_;  // of targets_.traces
  // Logs and exporters that are not used any more. They go here, where waiting for their last lines stalls no
  // worker.
  std::vector<std::shared_ptr<void>> retired_;
  std::unordered_map<std::thread::id, std::unique_ptr<Part>> parts_;
};

}  // namespace fairlead::runtime
