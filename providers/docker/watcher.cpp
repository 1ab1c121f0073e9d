#include "providers/docker/watcher.h"

#include "providers/throttle.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <random>

namespace fairlead::providers::docker {
namespace {

constexpr std::size_t kMaxPending = 1000;  // containers named by events and not yet looked at

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
      call_client_(endpoint, to_ms(timeout)) {}

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
    bool was_connected = false;
    {
      const std::lock_guard lock(mutex_);
      if (stopping_ || (!watch_ && why.empty())) return;
      was_connected = std::exchange(connected_, false);
    }
    if (was_connected) said.clear();
    if (why != said) reports_.push({.kind = Report::Kind::Lost, .host = host_, .text = why});  // said once
    said = why;
    const auto lasted =
        std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now() - begun);
    const double share = std::uniform_real_distribution<>(0, 1)(dice);
    // A stream that was well and ended (a restart of the engine) is tried again soon.
    if (was_connected) back_off.reset();
    going = sleep(std::chrono::duration_cast<Duration>(back_off.next(lasted, share) * timing_.back_off));
  }
}

// One connection, from ping to the end of its event stream. Answers why it ended; empty without watching.
std::string Watcher::run_once() {
  if (const auto agreed = stream_client_.negotiate(); !agreed) return agreed.error();
  const auto subscribed = [this] {
    reports_.push({.kind = Report::Kind::Connected, .host = host_, .text = stream_client_.version()});
    {
      const std::lock_guard lock(mutex_);
      connected_ = resync_wanted_ = true;
      inspect_all_ = true;  // anything may have happened while there was no connection
      version_ = stream_client_.version();
    }
    wake_.notify_all();
  };
  if (!watch_) {
    subscribed();
    return {};
  }
  const auto ended = stream_client_.events(subscribed, [this](Event event) {
    const std::string id = event.container;
    const bool look = event.action != Event::Action::Removed;
    reports_.push({.kind = Report::Kind::Happened, .host = host_, .event = std::move(event)});
    if (look) enqueue(id);
  });
  return ended ? "the event stream ended" : ended.error();
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
  auto next_list = std::chrono::steady_clock::now() + timing_.resync;
  while (true) {
    bool list = false;
    {
      std::unique_lock lock(mutex_);
      wake_.wait_until(lock, next_list, [this] { return stopping_ || resync_wanted_ || !pending_.empty(); });
      if (stopping_) return;
      call_client_.set_version(version_);
      const bool due = std::chrono::steady_clock::now() >= next_list;
      // Without a connection there is nobody to ask; the next one begins with a list.
      list = (resync_wanted_ || (due && watch_)) && connected_;
      if (!connected_) pending_.clear();
      resync_wanted_ = false;
      if (due || list) next_list = std::chrono::steady_clock::now() + timing_.resync;
    }
    inspect_pending();
    if (list) {
      resync();
      const std::lock_guard lock(mutex_);
      if (resync_wanted_) next_list = std::chrono::steady_clock::now();
    }
  }
}

std::optional<Container> Watcher::inspect(const std::string& id, std::vector<std::string>& gone,
                                          std::string& error) {
  ++calls_;
  auto found = call_client_.inspect(id);
  if (!found) {
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
    Report report{.kind = Report::Kind::Inspected, .host = host_};
    std::string error;
    if (auto container = inspect(id, report.gone, error)) report.containers.push_back(std::move(*container));
    // The list lags behind events: whatever it said or says now of this container proves nothing.
    fingerprints_[id].clear();
    if (error.empty())
      reports_.push(std::move(report));
    else if (!call_client_.stopped())
      spdlog::warn("docker: inspect {}: {}", id.substr(0, 12), error);
  }
}

// Lists, and inspects what is new or looks different from the last list.
void Watcher::resync() {
  ++calls_;
  auto list = call_client_.list();
  bool everything = false;
  {
    const std::lock_guard lock(mutex_);
    everything = std::exchange(inspect_all_, false);
  }
  if (!list) {
    if (call_client_.stopped()) return;
    spdlog::warn("docker: list: {}", list.error());
    if (!sleep(timing_.retry_list)) return;
    const std::lock_guard lock(mutex_);
    resync_wanted_ = connected_;
    return;
  }
  Report report{.kind = Report::Kind::Listed, .host = host_};
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
    auto container = inspect(row.id, report.gone, error);
    if (call_client_.stopped()) return;
    if (container) report.containers.push_back(std::move(*container));
    // One that could not be inspected is tried again with the next list.
    if (report.gone.empty() || report.gone.back() != row.id)
      fingerprints_[row.id] = error.empty() ? std::move(row.fingerprint) : std::string();
    if (!error.empty()) spdlog::warn("docker: inspect {}: {}", row.name, error);
  }
  // Not in the list: gone, unless the list is older than the container.
  for (const auto& [id, fingerprint] : before) {
    error.clear();
    if (auto container = inspect(id, report.gone, error)) report.containers.push_back(std::move(*container));
    if (report.gone.empty() || report.gone.back() != id) fingerprints_[id].clear();
  }
  report.first = !std::exchange(listed_once_, true);
  reports_.push(std::move(report));
}

}  // namespace fairlead::providers::docker
