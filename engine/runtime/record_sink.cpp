#include "engine/runtime/record_sink.h"

#include "engine/exchange/exchange.h"
#include "engine/observe/troubles.h"
#include "engine/telemetry/log_records.h"
#include "engine/telemetry/spans.h"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <cmath>
#include <optional>
#include <utility>

namespace fairlead::runtime {
namespace {

constexpr auto kFinish = std::chrono::seconds(3);
constexpr auto kFinishExport = std::chrono::seconds(2);

std::uint64_t next_id() {
  static std::atomic<std::uint64_t> last = 0;
  return ++last;
}

// As histograms need them: each once, rising; the last one, without limit, is added by itself.
std::vector<double> ascending(std::vector<double> buckets) {
  std::erase_if(buckets, [](double limit) { return !std::isfinite(limit); });
  std::ranges::sort(buckets);
  const auto again = std::ranges::unique(buckets);
  buckets.erase(again.begin(), again.end());
  return buckets;
}

observe::MetricOptions metric_options(const model::Metrics& metrics) {
  observe::MetricOptions out;
  out.internals = metrics.add_internals;
  if (!metrics.prometheus) return out;
  out.buckets = ascending(metrics.prometheus->buckets);
  for (const auto& [label, header] : metrics.prometheus->header_labels) out.header_names.push_back(header);
  return out;
}

observe::MetricOptions pushed_options(const model::Metrics& metrics) {
  observe::MetricOptions out;
  out.internals = metrics.add_internals;
  out.buckets = ascending(metrics.otlp->explicit_boundaries);
  out.semantic = true;
  return out;
}

}  // namespace

// What one worker writes into.
class RecordSink::Part final : event::TickHook {
 public:
  explicit Part(RecordSink& sink) : sink_(sink) {}

  void ended(const exchange::Exchange& x) {
    look_for_changes();
    if (x.record.cause) [[unlikely]]
      tell(x.record);
    if (!lines_ && !block_ && !pushed_block_ && !access_ && !x.trace) return;
    const observe::Facts facts{.record = x.record,
                               .begun = wall(x.loop, x.record.begun),
                               .request = &x.request.fields,
                               .origin = x.origin_fields.empty() ? nullptr : &x.origin_fields,
                               .response = &x.sent_fields,
                               .client_ip = x.client_ip,
                               .upgrade = x.request.upgrade,
                               .trace = x.trace.get()};
    if (block_) block_->count(facts);
    if (pushed_block_) pushed_block_->count(facts);
    if (lines_ && lines_->add(facts)) x.loop.at_tick_end(*this);
    if (x.trace && traces_) traces_.added(telemetry::append_spans(traces_.records(), facts), x.loop, *this);
    if (access_) add_access_record(x, facts);
  }

  void copied(const exchange::Exchange& x) {
    look_for_changes();
    const observe::Facts facts{
        .record = x.record, .begun = {}, .request = &x.request.fields, .upgrade = x.request.upgrade};
    if (block_) block_->count_services(facts);
    if (pushed_block_) pushed_block_->count_services(facts);
  }

 private:
  void look_for_changes() {
    if (const std::uint64_t now = sink_.generation_.load(std::memory_order_acquire); now != generation_)
      adopt(now);
  }

  void on_tick_end() override {
    if (lines_) lines_->hand_over();
    traces_.give();
    access_records_.give();
  }

  void tell(const observe::Record& record) {
    // Of clients there may be any number that try what must fail.
    if (record.cause->fault == Fault::Client && spdlog::should_log(spdlog::level::debug))
      spdlog::debug("entry point {}: {}answered {} to {}: {}", record.entry_point,
                    record.router.empty() ? "" : fmt::format("router {}: ", record.router), record.status,
                    record.client.text(), record.cause->detail);
    if (const std::string line = troubles_.line(record); !line.empty())
      spdlog::log(record.cause->fault == Fault::Proxy ? spdlog::level::err : spdlog::level::warn, "{}", line);
  }

  void add_access_record(const exchange::Exchange& x, const observe::Facts& facts) {
    if (!access_->line.concerns(facts.record)) return;
    const std::uint64_t count = access_->count.fetch_add(1, std::memory_order_relaxed) + 1;
    if (!access_->line.wanted(facts.record)) return;
    telemetry::append_access_record(access_records_.records(), access_->line, facts, count, times_);
    access_records_.added(1, x.loop, *this);
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
    if (now.pushed != pushed_) {
      pushed_ = now.pushed;
      pushed_block_ = pushed_ ? &pushed_->add_block() : nullptr;
    }
    traces_.aim(now.traces);
    if (now.access != access_) {
      access_ = now.access;
      access_records_.aim(access_ ? access_->exporter : nullptr);
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
  std::shared_ptr<observe::Metrics> pushed_;
  observe::Metrics::Block* pushed_block_ = nullptr;  // of pushed_
  Outbox traces_;
  std::shared_ptr<AccessExport> access_;
  Outbox access_records_;
  observe::TimeText times_;
  observe::Troubles troubles_;
  TimePoint asked_{};
  Duration offset_{};
};

RecordSink::RecordSink(const model::Static& install) : id_(next_id()) { configure(install); }

RecordSink::~RecordSink() = default;

void RecordSink::configure(const model::Static& install) {
  Targets now = targets();
  const auto& access_log = install.access_log;
  const bool is_known =
      (now.log && access_log == now.log->options()) || (now.access && access_log == now.access->options);
  if (access_log && !is_known)
    for (const std::string& notice : observe::unknown_fields(access_log->fields)) spdlog::warn("{}", notice);
  if (!access_log || !access_log->otlp)
    now.access = nullptr;
  else if (!now.access || now.access->options != *access_log)
    now.access = export_access_log(*access_log);
  // What a collector gets is not written here too, unless that is wished for.
  if (!access_log || (now.access && !access_log->dual_output))
    now.log = nullptr;
  else if (!now.log || now.log->options() != *access_log)
    now.log = std::make_shared<observe::AccessLog>(*access_log);
  if (!install.metrics.prometheus)
    now.metrics = nullptr;
  else if (!now.metrics || now.metrics->options() != metric_options(install.metrics))
    now.metrics = std::make_shared<observe::Metrics>(metric_options(install.metrics));
  if (!install.metrics.otlp)
    now.pushed = nullptr;
  else if (!now.pushed || now.pushed->options() != pushed_options(install.metrics))
    now.pushed = std::make_shared<observe::Metrics>(pushed_options(install.metrics));
  if (!install.tracing)
    now.traces = nullptr;
  else if (!tracing_ || !same_export(*tracing_, *install.tracing))
    now.traces = export_traces(*install.tracing);
  tracing_ = install.tracing;
  const std::lock_guard lock(mutex_);
  if (now == targets_) return;
  wants_origin_fields_.store(
      (now.log && now.log->wants_origin_head()) || (now.access && now.access->line.keeps_headers()),
      std::memory_order_relaxed);
  std::swap(targets_, now);
  generation_.fetch_add(1, std::memory_order_release);
  std::erase_if(retired_, [](const auto& one) { return one.use_count() == 1; });
  if (now.log && now.log != targets_.log) retired_.push_back(std::move(now.log));
  if (now.traces && now.traces != targets_.traces) retired_.push_back(std::move(now.traces));
  if (now.access && now.access != targets_.access) retired_.push_back(std::move(now.access));
}

void RecordSink::reopen() {
  if (const auto log = targets().log) log->reopen();
}

void RecordSink::finish() {
  const Targets now = targets();
  if (now.log) now.log->flush(kFinish);
  if (now.traces) now.traces->hurry();
  if (now.access) now.access->exporter->hurry();
  const TimePoint until = std::chrono::steady_clock::now() + kFinishExport;
  const auto sent = [until](telemetry::Exporter& exporter) {
    return exporter.flush(std::max(until - std::chrono::steady_clock::now(), Duration{}));
  };
  if (now.traces && !sent(*now.traces)) spdlog::warn("the collector did not take the last traces");
  if (now.access && !sent(*now.access->exporter))
    spdlog::warn("the collector did not take the last records of the access log");
}

std::shared_ptr<observe::Metrics> RecordSink::metrics() const { return targets().metrics; }

std::shared_ptr<observe::Metrics> RecordSink::pushed_metrics() const { return targets().pushed; }

std::uint64_t RecordSink::dropped_lines() const {
  const auto log = targets().log;
  return log ? log->dropped_lines() : 0;
}

std::vector<std::pair<std::string_view, std::uint64_t>> RecordSink::dropped_records() const {
  const Targets now = targets();
  std::vector<std::pair<std::string_view, std::uint64_t>> out;
  if (now.access) out.emplace_back("access_log", now.access->exporter->dropped());
  if (now.traces) out.emplace_back("traces", now.traces->dropped());
  return out;
}

RecordSink::Targets RecordSink::targets() const {
  const std::lock_guard lock(mutex_);
  return targets_;
}

void RecordSink::ended(const exchange::Exchange& x) { part().ended(x); }

void RecordSink::copied(const exchange::Exchange& x) { part().copied(x); }

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
