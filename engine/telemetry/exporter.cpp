#include "engine/telemetry/exporter.h"

#include "engine/base/strings.h"
#include "engine/telemetry/collector.h"
#include "engine/telemetry/wire.h"

#include <pthread.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <csignal>
#include <deque>
#include <mutex>
#include <random>
#include <thread>
#include <vector>

namespace fairlead::telemetry {
namespace {

constexpr std::size_t kMaxRequest = 1024 * 1024;  // bytes of records; gRPC servers take 4 MiB by default
constexpr auto kSay = std::chrono::minutes(1);    // between two sentences about the same trouble
constexpr auto kLongestPause = std::chrono::seconds(30);

}  // namespace

class Exporter::Impl {
 public:
  explicit Impl(ExporterOptions options) : options_(std::move(options)), collector_(options_.endpoint) {
    thread_ = std::thread([this] {
      sigset_t all;
      sigfillset(&all);
      ::pthread_sigmask(SIG_BLOCK, &all, nullptr);
      ::pthread_setname_np(::pthread_self(), "otlp");
      run();
    });
  }

  ~Impl() {
    {
      const std::lock_guard lock(mutex_);
      stopping_ = true;
    }
    collector_.stop();
    given_.notify_all();
    thread_.join();
  }

  void give(std::string& records, std::size_t count) {
    bool wake = false;
    {
      const std::lock_guard lock(mutex_);
      if (waiting_bytes_ + records.size() > options_.max_waiting) {
        dropped_.fetch_add(count, std::memory_order_relaxed);
        records.clear();
        return;
      }
      if (waiting_.empty()) oldest_ = std::chrono::steady_clock::now();
      // The thread sleeps on what waits already: a worker pays for waking it only when that changes
      // something.
      wake = waiting_.empty() ||
             (waiting_bytes_ < kMaxRequest && waiting_bytes_ + records.size() >= kMaxRequest);
      waiting_bytes_ += records.size();
      waiting_.push_back({std::move(records), count});
      ++given_count_;
    }
    records.clear();
    if (wake) given_.notify_one();
  }

  bool flush(Duration at_most) {
    std::unique_lock lock(mutex_);
    const std::uint64_t until = given_count_;
    ++hurrying_;
    given_.notify_one();
    const bool done = done_.wait_for(lock, at_most, [&] { return done_count_ >= until; });
    --hurrying_;
    return done;
  }

  void hurry() {
    {
      const std::lock_guard lock(mutex_);
      ++hurrying_;
    }
    given_.notify_one();
  }

  std::uint64_t dropped() const { return dropped_.load(std::memory_order_relaxed); }

 private:
  struct Piece {
    std::string records;
    std::size_t count = 0;
  };

  void run() {
    std::unique_lock lock(mutex_);
    for (;;) {
      given_.wait(lock, [this] { return stopping_ || !waiting_.empty(); });
      if (stopping_) return;
      given_.wait_until(lock, oldest_ + options_.delay,
                        [this] { return stopping_ || hurrying_ > 0 || waiting_bytes_ >= kMaxRequest; });
      if (stopping_) return;
      std::vector<std::string> pieces;
      std::size_t bytes = 0;
      std::size_t count = 0;
      std::uint64_t taken = 0;
      while (!waiting_.empty() &&
             (pieces.empty() || bytes + waiting_.front().records.size() <= kMaxRequest)) {
        bytes += waiting_.front().records.size();
        count += waiting_.front().count;
        pieces.push_back(std::move(waiting_.front().records));
        waiting_.pop_front();
        ++taken;
      }
      oldest_ = std::chrono::steady_clock::now();
      lock.unlock();
      deliver(export_request(options_.resource, pieces), count);
      lock.lock();
      waiting_bytes_ -= bytes;
      done_count_ += taken;
      done_.notify_all();
    }
  }

  void deliver(std::string message, std::size_t count) {
    Duration pause = options_.first_pause;
    const TimePoint give_up = std::chrono::steady_clock::now() + options_.give_up;
    for (;;) {
      const Delivery delivery = collector_.send(message);
      if (delivery.end == Delivery::End::Taken) {
        dropped_.fetch_add(delivery.rejected, std::memory_order_relaxed);
        return say_taken(delivery);
      }
      const Duration wait = delivery.after.value_or(jittered(pause));
      const TimePoint again = std::chrono::steady_clock::now() + wait;
      const bool last = delivery.end == Delivery::End::Refused || again > give_up;
      if (last) dropped_.fetch_add(count, std::memory_order_relaxed);
      if (!is_stopping()) say_trouble(delivery.why);
      if (last) return;
      pause = std::min<Duration>(pause * 2, kLongestPause);
      std::unique_lock lock(mutex_);
      if (given_.wait_until(lock, again, [this] { return stopping_; })) return;
    }
  }

  bool is_stopping() {
    const std::lock_guard lock(mutex_);
    return stopping_;
  }

  // Many proxies of one collector must not come back at once.
  Duration jittered(Duration pause) {
    std::uniform_real_distribution<double> factor(0.5, 1.0);
    return Duration(static_cast<Duration::rep>(static_cast<double>(pause.count()) * factor(random_)));
  }

  void say_taken(const Delivery& delivery) {
    const TimePoint now = std::chrono::steady_clock::now();
    if (delivery.rejected > 0 && may_say(now))
      spdlog::warn("{}: the collector {} rejected {} records: {}", text(options_.signal),
                   options_.endpoint.url, delivery.rejected, quoted(delivery.why));
    if (!in_trouble_) return;
    in_trouble_ = false;
    said_at_ = TimePoint{};
    spdlog::info("{}: the collector {} takes them again; {} records were dropped since the start",
                 text(options_.signal), options_.endpoint.url, dropped());
  }

  void say_trouble(const std::string& why) {
    const bool first = !std::exchange(in_trouble_, true);
    const TimePoint now = std::chrono::steady_clock::now();
    if (!first && !may_say(now)) return;
    said_at_ = now;
    spdlog::warn(
        "{}: the collector {} does not take them: {}; {} records were dropped since the start, requests "
        "are served all the same",
        text(options_.signal), options_.endpoint.url, why, dropped());
  }

  bool may_say(TimePoint now) {
    if (said_at_ != TimePoint{} && now - said_at_ < kSay) return false;
    said_at_ = now;
    return true;
  }

  const ExporterOptions options_;
  Collector collector_;
  std::mutex mutex_;
  std::condition_variable given_;
  std::condition_variable done_;
  std::deque<Piece> waiting_;
  std::size_t waiting_bytes_ = 0;  // those under way too
  std::uint64_t given_count_ = 0;
  std::uint64_t done_count_ = 0;
  TimePoint oldest_{};
  int hurrying_ = 0;
  bool stopping_ = false;
  std::atomic<std::uint64_t> dropped_ = 0;
  bool in_trouble_ = false;  // the thread's own, as all below
  TimePoint said_at_{};
  std::minstd_rand random_{std::random_device{}()};
  std::thread thread_;
};

Exporter::Exporter(ExporterOptions options) : impl_(std::make_unique<Impl>(std::move(options))) {}
Exporter::~Exporter() = default;
void Exporter::give(std::string& records, std::size_t count) { impl_->give(records, count); }
bool Exporter::flush(Duration at_most) { return impl_->flush(at_most); }
void Exporter::hurry() { impl_->hurry(); }
std::uint64_t Exporter::dropped() const { return impl_->dropped(); }

}  // namespace fairlead::telemetry
