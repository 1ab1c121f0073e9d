#pragma once

#include "engine/admin/view.h"
#include "engine/model/observability.h"
#include "engine/observe/exposition.h"
#include "engine/telemetry/exporter.h"

#include <condition_variable>
#include <memory>
#include <mutex>
#include <thread>

namespace fairlead::admin {

// metrics.otlp: what prometheus@internal would show, and the durations of the semantic conventions, sent to a
// collector again and again, from a thread of its own.
class MetricPush {
 public:
  // `requests` counts what the options ask for.
  MetricPush(std::shared_ptr<const Sources> sources, model::OtlpMetrics options,
             std::shared_ptr<observe::Metrics> requests, std::shared_ptr<telemetry::Exporter> exporter);
  // Sends once more, and waits a few seconds for it at most.
  ~MetricPush();
  MetricPush(const MetricPush&) = delete;
  MetricPush& operator=(const MetricPush&) = delete;

 private:
  void run();
  void push();

  const std::shared_ptr<const Sources> sources_;
  const model::OtlpMetrics options_;
  const std::shared_ptr<observe::Metrics> requests_;
  const std::shared_ptr<telemetry::Exporter> exporter_;
  const WallTime since_;
  observe::RequestMetrics shown_;
  std::mutex mutex_;
  std::condition_variable stop_;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace fairlead::admin
