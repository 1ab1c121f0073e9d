#include "engine/runtime/record_sink.h"

#include "engine/exchange/exchange.h"

#include <optional>
#include <utility>

namespace fairlead::runtime {
namespace {

constexpr auto kFinish = std::chrono::seconds(3);

std::uint64_t next_id() {
  static std::atomic<std::uint64_t> last = 0;
  return ++last;
}

observe::MetricOptions metric_options(const model::Metrics& metrics) {
  observe::MetricOptions out;
  out.internals = metrics.add_internals;
  if (!metrics.prometheus) return out;
  out.buckets = metrics.prometheus->buckets;
  for (const auto& [label, header] : metrics.prometheus->header_labels) out.header_names.push_back(header);
  return out;
}

}  // namespace

// What one worker writes into.
class RecordSink::Part final : event::TickHook {
 public:
  explicit Part(RecordSink& sink) : sink_(sink) {}

  void ended(const exchange::Exchange& x) {
    if (const std::uint64_t now = sink_.generation_.load(std::memory_order_acquire); now != generation_)
      adopt(now);
    if (!lines_ && !block_) return;
    const observe::Facts facts{.record = x.record,
                               .begun = wall(x.loop, x.record.begun),
                               .request = &x.request.fields,
                               .origin = x.origin_fields.empty() ? nullptr : &x.origin_fields,
                               .response = &x.sent_fields,
                               .client_ip = x.client_ip,
                               .upgrade = x.request.upgrade};
    if (block_) block_->count(facts);
    if (lines_ && lines_->add(facts)) x.loop.at_tick_end(*this);
  }

 private:
  void on_tick_end() override {
    if (lines_) lines_->hand_over();
  }

  void adopt(std::uint64_t generation) {
    generation_ = generation;
    Targets now = sink_.targets();
    if (now.log != log_) {
      if (lines_) lines_->hand_over();
      log_ = now.log;
      lines_.reset();
      if (log_) lines_.emplace(log_);
    }
    if (now.metrics != metrics_) {
      metrics_ = now.metrics;
      block_ = metrics_ ? &metrics_->add_block() : nullptr;
    }
  }

  // The wall clock is asked once a second: a request costs no call for it.
  WallTime wall(const event::Loop& loop, TimePoint time) {
    if (loop.now() - asked_ >= std::chrono::seconds(1) || asked_ == TimePoint{}) {
      asked_ = loop.now();
      offset_ = loop.wall().time_since_epoch() - loop.clock().now().time_since_epoch();
    }
    return WallTime(time.time_since_epoch() + offset_);
  }

  RecordSink& sink_;
  std::uint64_t generation_ = 0;
  std::shared_ptr<observe::AccessLog> log_;
  std::optional<observe::AccessLog::Lines> lines_;
  std::shared_ptr<observe::Metrics> metrics_;
  observe::Metrics::Block* block_ = nullptr;  // of metrics_
  TimePoint asked_{};
  Duration offset_{};
};

RecordSink::RecordSink(const model::Static& install) : id_(next_id()) { configure(install); }

RecordSink::~RecordSink() = default;

void RecordSink::configure(const model::Static& install) {
  Targets now = targets();
  if (!install.access_log)
    now.log = nullptr;
  else if (!now.log || now.log->options() != *install.access_log)
    now.log = std::make_shared<observe::AccessLog>(*install.access_log);
  if (!install.metrics.prometheus)
    now.metrics = nullptr;
  else if (!now.metrics || now.metrics->options() != metric_options(install.metrics))
    now.metrics = std::make_shared<observe::Metrics>(metric_options(install.metrics));
  const std::lock_guard lock(mutex_);
  if (now.log == targets_.log && now.metrics == targets_.metrics) return;
  wants_origin_fields_.store(now.log && now.log->wants_origin_head(), std::memory_order_relaxed);
  std::swap(targets_, now);
  generation_.fetch_add(1, std::memory_order_release);
  std::erase_if(retired_, [](const auto& log) { return log.use_count() == 1; });
  if (now.log && now.log != targets_.log) retired_.push_back(std::move(now.log));
}

void RecordSink::reopen() {
  if (const auto log = targets().log) log->reopen();
}

void RecordSink::finish() {
  if (const auto log = targets().log) log->flush(kFinish);
}

std::shared_ptr<observe::Metrics> RecordSink::metrics() const { return targets().metrics; }

std::uint64_t RecordSink::dropped_lines() const {
  const auto log = targets().log;
  return log ? log->dropped_lines() : 0;
}

RecordSink::Targets RecordSink::targets() const {
  const std::lock_guard lock(mutex_);
  return targets_;
}

void RecordSink::ended(const exchange::Exchange& x) { part().ended(x); }

RecordSink::Part& RecordSink::part() {
  thread_local std::uint64_t owner = 0;
  thread_local Part* mine = nullptr;
  if (owner != id_) {
    const std::lock_guard lock(mutex_);
    std::unique_ptr<Part>& slot = parts_[std::this_thread::get_id()];
    if (!slot) slot = std::make_unique<Part>(*this);
    mine = slot.get();
    owner = id_;
  }
  return *mine;
}

}  // namespace fairlead::runtime
