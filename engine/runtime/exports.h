#pragma once

#include "engine/event/loop.h"
#include "engine/model/observability.h"
#include "engine/model/static.h"
#include "engine/observe/access_line.h"
#include "engine/telemetry/exporter.h"

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>

namespace fairlead::runtime {

// The exporters that the install configuration asks for. Null, and said in the log, when the options name no
// collector that can be spoken to.
std::shared_ptr<telemetry::Exporter> export_traces(const model::Tracing& options);
// Whether traces go to the same collector in the same name.
bool same_export(const model::Tracing& a, const model::Tracing& b);

std::shared_ptr<telemetry::Exporter> export_metrics(const model::OtlpMetrics& options);
std::shared_ptr<telemetry::Exporter> export_log(const model::OtlpLog& options);

// The access log's way to a collector. Shared by all workers.
struct AccessExport {
  AccessExport(const model::AccessLog& options, std::shared_ptr<telemetry::Exporter> to)
      : options(options), line(options), exporter(std::move(to)) {}

  const model::AccessLog options;
  const observe::AccessLine line;
  const std::shared_ptr<telemetry::Exporter> exporter;
  std::atomic<std::uint64_t> count = 0;
};
std::shared_ptr<AccessExport> export_access_log(const model::AccessLog& options);

// Logs what would keep what is exported from its collectors, without making any exporter.
void say_what_keeps_exports_from_collectors(const model::Static& install);

// Records of one worker on their way to an exporter: they go at the end of a tick, or when they are many.
class Outbox {
 public:
  explicit operator bool() const { return to_ != nullptr; }
  void aim(std::shared_ptr<telemetry::Exporter> to) {
    give();
    to_ = std::move(to);
  }
  // Where records are appended.
  std::string& records() { return records_; }
  void added(std::size_t count, event::Loop& loop, event::TickHook& hook) {
    constexpr std::size_t kFull = 64 * 1024;  // bytes
    count_ += count;
    if (records_.size() >= kFull)
      give();
    else if (!records_.empty())
      loop.at_tick_end(hook);
  }
  void give() {
    if (!records_.empty()) to_->give(records_, std::exchange(count_, 0));
  }

 private:
  std::shared_ptr<telemetry::Exporter> to_;
  std::string records_;  // encoded; empty without to_
  std::size_t count_ = 0;
};

}  // namespace fairlead::runtime
