#include "engine/admin/metric_push.h"

#include "engine/admin/prometheus.h"
#include "engine/observe/semantic_metrics.h"
#include "engine/telemetry/metric_encoder.h"

#include <pthread.h>

#include <csignal>

namespace fairlead::admin {
namespace {

constexpr auto kLastPush = std::chrono::seconds(2);

}  // namespace

MetricPush::MetricPush(std::shared_ptr<const Sources> sources, model::OtlpMetrics options,
                       std::shared_ptr<observe::Metrics> requests,
                       std::shared_ptr<telemetry::Exporter> exporter)
    : sources_(std::move(sources)),
      options_(std::move(options)),
      requests_(std::move(requests)),
      exporter_(std::move(exporter)),
      since_(std::chrono::system_clock::now()),
      thread_([this] { run(); }) {}

MetricPush::~MetricPush() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  stop_.notify_all();
  thread_.join();
  exporter_->flush(kLastPush);
}

void MetricPush::run() {
  sigset_t all;
  sigfillset(&all);
  ::pthread_sigmask(SIG_BLOCK, &all, nullptr);
  ::pthread_setname_np(::pthread_self(), "metrics");
  std::unique_lock lock(mutex_);
  for (bool last = false; !last;) {
    last = stop_.wait_for(lock, options_.push_interval, [this] { return stopping_; });
    lock.unlock();
    push();
    lock.lock();
  }
}

void MetricPush::push() {
  telemetry::MetricEncoder out(since_, std::chrono::system_clock::now());
  const auto view = sources_->view();
  write_metrics(out, *sources_, view.get(), requests_.get(),
                {.entry_points = options_.add_entry_points_labels,
                 .routers = options_.add_routers_labels,
                 .services = options_.add_services_labels},
                shown_);
  observe::write_semantic_durations(out, *requests_);
  for (std::string& piece : out.take()) exporter_->give(piece, 1);
}

}  // namespace fairlead::admin
