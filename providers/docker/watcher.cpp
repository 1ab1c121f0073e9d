#include "providers/docker/watcher.h"

#include "providers/throttle.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <random>

namespace fairlead::providers::docker {
namespace {

constexpr std::size_t kMaxPending = 1000;       // containers named by events and not yet looked at
constexpr std::chrono::seconds kWellStream(1);  // one that lasted so long did not end because it began
constexpr int kSlowEngine = 2;                  // slow inspections in a row: the next ones may be, too,
constexpr std::chrono::milliseconds kShortOfTime(100);  // and are given so long
constexpr std::chrono::hours kNever(24 * 365);

std::chrono::milliseconds to_ms(Duration duration) {
  return std::max(std::chrono::milliseconds(0),
                  std::chrono::duration_cast<std::chrono::milliseconds>(duration));
}

}  // namespace

Watcher::Watcher(std::string host, const Endpoint& endpoint, Duration timeout, bool watch,
                 Channel<Report>& reports)
    : Watcher(std::move(host), endpoint, timeout, watch, reports, Timing()) {}

Watcher::Watcher(std::string host, const Endpoint& endpoint, Duration timeout, bool watch,
                 Channel<Report>& reports, Timing timing)
    : host_(std::move(host)),
      endpoint_(endpoint),
      watch_(watch),
      timing_(timing),
      reports_(reports),
      stream_client_(endpoint, to_ms(timeout)),
      call_client_(endpoint, to_ms(timeout)),
      slow_lane_(endpoint, to_ms(timeout), timing.retry, timing.resync,
                 [this](SlowLane::Answer answer) { learned(std::move(answer)); }),
      retry_(timing.retry) {}

Watcher::~Watcher() { stop(); }

void Watcher::start() {
  stream_thread_ = std::thread([this] { stream(); });
  work_thread_ = std::thread([this] { work(); });
}

void Watcher::stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_all();
  stream_client_.stop();
  call_client_.stop();
  slow_lane_.stop();
  if (stream_thread_.joinable()) stream_thread_.join();
  if (work_thread_.joinable()) work_thread_.join();
}

void Watcher::refresh() {
  {
    const std::lock_guard lock(mutex_);
    resync_wanted_ = inspect_all_ = true;
  }
  wake_.notify_all();
}

// True when the time passed, false when the watcher is stopping.
bool Watcher::sleep(Duration duration) {
  std::unique_lock lock(mutex_);
  return !wake_.wait_for(lock, duration, [this] { return stopping_; });
}

void Watcher::stream() {
  BackOff back_off;
  std::minstd_rand dice(std::random_device{}());
  std::string said;
  for (bool going = true; going;) {
    const auto begun = std::chrono::steady_clock::now();
    const std::string why = run_once();
    bool streamed = false;
    {
      const std::lock_guard lock(mutex_);
      if (stopping_ || (!watch_ && why.empty())) return;
      streamed = std::exchange(streaming_since_, std::nullopt).has_value();
    }
    if (streamed) said.clear();
    if (why != said) reports_.push({.kind = Report::Kind::Lost, .host = host_, .text = why});  // said once
    said = why;
    const auto lasted =
        std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now() - begun);
    const double share = std::uniform_real_distribution<>(0, 1)(dice);
    // A stream that was well and ended (a restart of the engine) is tried again soon.
    if (streamed && lasted >= kWellStream) back_off.reset();
    going = sleep(std::chrono::duration_cast<Duration>(back_off.next(lasted, share) * timing_.back_off));
  }
}

// One connection, from ping to the end of its event stream. Answers why it ended; empty without watching.
std::string Watcher::run_once() {
  const auto agreed = stream_client_.negotiate();
  {
    const std::lock_guard lock(mutex_);
    if (!agreed) {
      connected_ = false;
      slow_lane_.forget();
      return agreed.error();
    }
    version_ = stream_client_.version();
    if (watch_)
      list_anyway_ = std::chrono::steady_clock::now() + timing_.await_events;
    else
      connected();
  }
  wake_.notify_all();
  if (!watch_) return {};
  const auto subscribed = [this] {
    {
      const std::lock_guard lock(mutex_);
      streaming_since_ = std::chrono::steady_clock::now();
      connected();
    }
    wake_.notify_all();
  };
  const auto ended = stream_client_.events(subscribed, [this](Event event) {
    const std::string id = event.container;
    reports_.push({.kind = Report::Kind::Happened,
                   .host = host_,
                   .event = std::move(event),
                   .at = std::chrono::steady_clock::now()});
    enqueue(id);
  });
  // Whoever refuses its events, or ends them as they begin, can still be asked.
  {
    const std::lock_guard lock(mutex_);
    list_anyway_.reset();
    told_connected_ = false;
    const auto now = std::chrono::steady_clock::now();
    connected_ = !streaming_since_ || now - *streaming_since_ < kWellStream;
    if (connected_) resync_wanted_ = inspect_all_ = true;
  }
  wake_.notify_all();
  return ended ? "the event stream ended" : ended.error();
}

// With mutex_ held. Everything is to be listed, since anything may have happened before.
void Watcher::connected() {
  list_anyway_.reset();
  if (!std::exchange(told_connected_, true))
    reports_.push({.kind = Report::Kind::Connected, .host = host_, .text = version_});
  connected_ = resync_wanted_ = inspect_all_ = true;
}

void Watcher::enqueue(std::string id) {
  {
    const std::lock_guard lock(mutex_);
    if (std::ranges::find(pending_, id) == pending_.end()) pending_.push_back(std::move(id));
    if (pending_.size() > kMaxPending) {
      // A storm, or an engine that makes ids up: one list says what exists.
      pending_.clear();
      resync_wanted_ = inspect_all_ = true;
    }
  }
  wake_.notify_all();
}

void Watcher::work() {
  const auto in_a_while = [this] {
    return std::chrono::steady_clock::now() + (watch_ ? timing_.resync : Duration(kNever));
  };
  auto next_list = in_a_while();
  while (true) {
    bool list = false;
    {
      std::unique_lock lock(mutex_);
      const auto wake_at = [&] { return std::min(next_list, list_anyway_.value_or(next_list)); };
      while (!stopping_ && !resync_wanted_ && pending_.empty() &&
             std::chrono::steady_clock::now() < wake_at())
        wake_.wait_until(lock, wake_at());
      if (stopping_) return;
      const auto now = std::chrono::steady_clock::now();
      if (list_anyway_ && now >= *list_anyway_) connected();
      call_client_.set_version(version_);
      // Without a connection there is nobody to ask; the next one begins with a list.
      list = (resync_wanted_ || now >= next_list) && connected_;
      if (!connected_) pending_.clear();
      resync_wanted_ = false;
      if (list || now >= next_list) next_list = in_a_while();
    }
    inspect_pending();
    if (list) {
      failed_ = false;
      resync();
      if (!failed_) retry_ = timing_.retry;
    }
    if (std::exchange(failed_, false)) {
      next_list = std::min(next_list, std::chrono::steady_clock::now() + retry_);
      retry_ = std::min(2 * retry_, timing_.resync);
    }
  }
}

void Watcher::learned(SlowLane::Answer answer) {
  ++calls_;
  Report report{.kind = Report::Kind::Inspected, .host = host_, .first = answer.first, .at = answer.asked};
  if (answer.container) {
    answer.container->host = host_;
    report.containers.push_back(std::move(*answer.container));
  } else {
    report.gone.push_back(std::move(answer.id));
  }
  reports_.push(std::move(report));
}

// Nothing: it is gone, it could not be inspected, or, without an error, it is left to the slow lane.
std::optional<Container> Watcher::inspect(const std::string& id, bool first, std::vector<std::string>& gone,
                                          std::string& error) {
  if (slow_lane_.holds(id)) {
    slow_lane_.take(id, call_client_.version(), first);
    return std::nullopt;
  }
  ++calls_;
  const auto asked = std::chrono::steady_clock::now();
  const std::chrono::milliseconds limit = slow_in_a_row_ < kSlowEngine ? SlowLane::kQuick : kShortOfTime;
  auto found = call_client_.inspect(id, limit);
  if (found) slow_in_a_row_ = 0;
  if (!found && !call_client_.stopped() && std::chrono::steady_clock::now() - asked >= limit * 9 / 10) {
    ++slow_in_a_row_;
    spdlog::warn("docker: inspect {}: no answer within {} ms; it is awaited while the others are read",
                 id.substr(0, 12), limit.count());
    slow_lane_.take(id, call_client_.version(), first);
  } else if (!found) {
    error = found.error();
  } else if (!*found) {
    gone.push_back(id);
  } else {
    (*found)->host = host_;
    return std::move(*found);
  }
  return std::nullopt;
}

void Watcher::inspect_pending() {
  // Not until there are none: events without end must not keep the list waiting.
  for (std::size_t i = 0; i < kMaxPending; ++i) {
    std::string id;
    {
      const std::lock_guard lock(mutex_);
      if (pending_.empty() || stopping_) return;
      id = std::move(pending_.front());
      pending_.pop_front();
    }
    Report report{.kind = Report::Kind::Inspected, .host = host_, .at = std::chrono::steady_clock::now()};
    std::string error;
    if (auto container = inspect(id, false, report.gone, error))
      report.containers.push_back(std::move(*container));
    // The list lags behind events: whatever it said or says now of this container proves nothing.
    if (report.gone.empty())
      fingerprints_[id].clear();
    else
      fingerprints_.erase(id);
    if (error.empty()) {
      reports_.push(std::move(report));
    } else if (!call_client_.stopped()) {
      failed_ = true;
      spdlog::warn("docker: inspect {}: {}", id.substr(0, 12), error);
    }
  }
}

// Lists, and inspects what is new or looks different from the last list.
void Watcher::resync() {
  ++calls_;
  Report report{.kind = Report::Kind::Listed, .host = host_, .at = std::chrono::steady_clock::now()};
  auto list = call_client_.list();
  bool everything = false;
  {
    const std::lock_guard lock(mutex_);
    everything = std::exchange(inspect_all_, false);
  }
  if (!list) {
    if (call_client_.stopped()) return;
    if (list.error() != said_) spdlog::warn("docker: list: {}", list.error());
    said_ = list.error();
    failed_ = true;
    const std::lock_guard lock(mutex_);
    inspect_all_ = inspect_all_ || everything;
    return;
  }
  said_.clear();
  slow_in_a_row_ = 0;
  report.first = !std::exchange(listed_once_, true);
  std::map<std::string, std::string> before = std::exchange(fingerprints_, {});
  std::string error;
  for (Listed& row : *list) {
    const auto known = before.find(row.id);
    const bool same = known != before.end() && known->second == row.fingerprint && !everything;
    if (known != before.end()) before.erase(known);
    if (same) {
      fingerprints_[row.id] = std::move(row.fingerprint);
      continue;
    }
    error.clear();
    auto container = inspect(row.id, report.first, report.gone, error);
    if (call_client_.stopped()) return;
    if (container) report.containers.push_back(std::move(*container));
    // One that could not be inspected is tried again with the next list, which comes sooner for it.
    if (report.gone.empty() || report.gone.back() != row.id)
      fingerprints_[row.id] = error.empty() ? std::move(row.fingerprint) : std::string();
    if (error.empty()) continue;
    failed_ = true;
    spdlog::warn("docker: inspect {}: {}", row.name, error);
  }
  // Not in the list: gone, unless the list is older than the container.
  for (const auto& [id, fingerprint] : before) {
    error.clear();
    if (auto container = inspect(id, report.first, report.gone, error))
      report.containers.push_back(std::move(*container));
    if (report.gone.empty() || report.gone.back() != id) fingerprints_[id].clear();
  }
  reports_.push(std::move(report));
}

}  // namespace fairlead::providers::docker
