#include "cmd/fairlead/log_setup.h"

#include "cmd/fairlead/log_file.h"
#include "cmd/fairlead/log_format.h"
#include "engine/base/strings.h"
#include "engine/runtime/exports.h"
#include "engine/telemetry/log_records.h"

#include <spdlog/async.h>
#include <spdlog/sinks/base_sink.h>
#include <spdlog/spdlog.h>
#include <unistd.h>

#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

namespace fairlead::cmd {
namespace {

constexpr std::size_t kQueue = 1024;  // messages that may wait for the disk, 408 bytes each
constexpr std::uint64_t kMegabyte = 1024 * 1024;
constexpr std::uint64_t kDefaultMegabytes = 100;

class FileSink final : public spdlog::sinks::base_sink<std::mutex> {
 public:
  explicit FileSink(LogFile::Options options) : file_(std::move(options)) {}
  void reopen() {
    const std::lock_guard lock(mutex_);
    file_.reopen();
  }

 private:
  void sink_it_(const spdlog::details::log_msg& message) override {
    spdlog::memory_buf_t line;
    formatter_->format(message, line);
    file_.write({line.data(), line.size()});
  }
  void flush_() override {}

  LogFile file_;
};

telemetry::Severity severity_of(spdlog::level::level_enum level) {
  switch (level) {
    case spdlog::level::trace: return telemetry::Severity::Trace;
    case spdlog::level::debug: return telemetry::Severity::Debug;
    case spdlog::level::warn: return telemetry::Severity::Warn;
    case spdlog::level::err: return telemetry::Severity::Error;
    case spdlog::level::critical: return telemetry::Severity::Fatal;
    default: return telemetry::Severity::Info;
  }
}

// log.otlp: the same messages for a collector.
class CollectorSink final : public spdlog::sinks::base_sink<std::mutex> {
 public:
  explicit CollectorSink(std::shared_ptr<telemetry::Exporter> exporter) : exporter_(std::move(exporter)) {}
  ~CollectorSink() override { exporter_->flush(kLastWords); }

 private:
  static constexpr auto kLastWords = std::chrono::seconds(2);

  void sink_it_(const spdlog::details::log_msg& message) override {
    telemetry::append_log_record(records_, message.time, severity_of(message.level),
                                 {message.payload.data(), message.payload.size()});
    exporter_->give(records_, 1);
  }
  void flush_() override {}

  std::shared_ptr<telemetry::Exporter> exporter_;
  std::string records_;
};

// Where messages go; it changes while others write.
class Outlet final : public spdlog::sinks::base_sink<std::mutex> {
 public:
  void lead_to(std::vector<spdlog::sink_ptr> sinks) {
    {
      const std::lock_guard lock(mutex_);
      sinks_.swap(sinks);
    }
    // What went before ends outside the lock: a collector may have to be waited for.
  }
  // Until a flush has come by behind all that was written before it.
  void await_flush() {
    std::unique_lock lock(mutex_);
    flushed_.wait_for(lock, kPatience, [this] { return was_flushed_; });
  }

 private:
  void sink_it_(const spdlog::details::log_msg& message) override {
    for (const spdlog::sink_ptr& sink : sinks_) sink->log(message);
  }
  void flush_() override {
    for (const spdlog::sink_ptr& sink : sinks_) sink->flush();
    was_flushed_ = true;
    flushed_.notify_all();
  }

  static constexpr auto kPatience = std::chrono::seconds(5);  // for a disk that hangs

  std::vector<spdlog::sink_ptr> sinks_;
  std::condition_variable flushed_;
  bool was_flushed_ = false;
};

// The default logger is set once: spdlog lets nobody replace it while others use it.
struct Current {
  std::shared_ptr<spdlog::logger> logger;
  std::shared_ptr<Outlet> outlet;
  std::shared_ptr<FileSink> file;
};
Current& current() {
  static Current log;
  return log;
}

spdlog::level::level_enum level_of(std::string_view name) {
  if (iequals(name, "trace")) return spdlog::level::trace;
  if (iequals(name, "debug")) return spdlog::level::debug;
  if (iequals(name, "warn") || iequals(name, "warning")) return spdlog::level::warn;
  if (iequals(name, "error")) return spdlog::level::err;
  if (iequals(name, "fatal") || iequals(name, "panic")) return spdlog::level::critical;
  return spdlog::level::info;
}

std::uint64_t positive(std::int64_t number) { return number > 0 ? static_cast<std::uint64_t>(number) : 0; }

}  // namespace

void set_up_log(const model::Log& options) {
  if (!spdlog::thread_pool()) spdlog::init_thread_pool(kQueue, 1);
  LogFile::Options file;
  file.path = options.file_path;
  file.max_bytes = (options.max_size > 0 ? positive(options.max_size) : kDefaultMegabytes) * kMegabyte;
  file.max_backups = positive(options.max_backups);
  file.max_age_days = positive(options.max_age);
  file.compress = options.compress;
  auto sink = std::make_shared<FileSink>(std::move(file));
  const bool color = options.file_path.empty() && !options.no_color && ::isatty(STDOUT_FILENO);
  sink->set_formatter(log_formatter(options.format == "json", color));
  Current& log = current();
  if (!log.logger) {
    log.outlet = std::make_shared<Outlet>();
    log.logger = std::make_shared<spdlog::async_logger>("", log.outlet, spdlog::thread_pool(),
                                                        spdlog::async_overflow_policy::overrun_oldest);
    spdlog::set_default_logger(log.logger);
  }
  log.logger->set_level(level_of(options.level));
  log.outlet->lead_to({sink});
  // What is wrong with the collector's options is said in the new log.
  if (options.otlp)
    if (auto exporter = runtime::export_log(*options.otlp))
      log.outlet->lead_to({sink, std::make_shared<CollectorSink>(std::move(exporter))});
  log.file = std::move(sink);
}

void reopen_log() {
  if (const auto& sink = current().file) sink->reopen();
}

void finish_log() {
  Current log = std::exchange(current(), {});
  if (!log.logger) return;
  // The logger and its thread stay: others may still be at it, and destructors come later. What they say goes
  // nowhere.
  log.logger->set_level(spdlog::level::off);
  log.logger->flush();
  log.outlet->await_flush();
  log.outlet->lead_to({});
}

}  // namespace fairlead::cmd
