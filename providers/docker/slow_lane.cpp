#include "providers/docker/slow_lane.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <utility>

namespace fairlead::providers::docker {
namespace {

constexpr std::size_t kLanes =
    4;  // calls that an engine may leave without an answer, and others still be read

TimePoint now() { return std::chrono::steady_clock::now(); }

}  // namespace

SlowLane::SlowLane(const Endpoint& endpoint, std::chrono::milliseconds timeout, Duration retry,
                   Duration longest, Answered answered)
    : endpoint_(endpoint),
      timeout_(timeout),
      retry_(retry),
      longest_(longest),
      answered_(std::move(answered)) {}

SlowLane::~SlowLane() { stop(); }

void SlowLane::take(const std::string& id, std::string_view version, bool first) {
  {
    const std::lock_guard lock(mutex_);
    if (stopping_) return;
    version_ = version;
    const auto [at, fresh] = works_.try_emplace(id);
    Work& work = at->second;
    work.first = fresh && first;
    if (work.state == Work::State::Asked) {
      work.again = true;
      return;
    }
    if (fresh || work.state == Work::State::Rests) work.retry = retry_;
    work.state = Work::State::Due;
    work.at = now();
    const auto due = std::ranges::count_if(works_, [at = now()](const auto& w) {
      return w.second.state == Work::State::Due && w.second.at <= at;
    });
    if (static_cast<std::size_t>(due) > idle_ && lanes_.size() < kLanes) open_lane();
  }
  wake_.notify_one();
}

bool SlowLane::holds(const std::string& id) const {
  const std::lock_guard lock(mutex_);
  return works_.contains(id);
}

void SlowLane::forget() {
  const std::lock_guard lock(mutex_);
  std::erase_if(works_, [](const auto& w) { return w.second.state != Work::State::Asked; });
}

void SlowLane::stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
    for (const Lane& lane : lanes_) lane.client->stop();
  }
  wake_.notify_all();
  for (Lane& lane : lanes_)
    if (lane.thread.joinable()) lane.thread.join();
}

// With mutex_ held.
void SlowLane::open_lane() {
  Lane lane{std::make_unique<Client>(endpoint_, timeout_), {}};
  lane.thread = std::thread([this, client = lane.client.get()] { work(*client); });
  lanes_.push_back(std::move(lane));
}

std::map<std::string, SlowLane::Work>::iterator SlowLane::next_due() {
  auto next = works_.end();
  for (auto at = works_.begin(); at != works_.end(); ++at)
    if (at->second.state == Work::State::Due && (next == works_.end() || at->second.at < next->second.at))
      next = at;
  return next;
}

void SlowLane::work(Client& client) {
  std::unique_lock lock(mutex_);
  while (!stopping_) {
    const auto next = next_due();
    if (next != works_.end() && next->second.at <= now()) {
      ask(lock, client, std::string(next->first));
      continue;
    }
    ++idle_;
    if (next == works_.end())
      wake_.wait(lock);
    else
      wake_.wait_until(lock, TimePoint(next->second.at));  // a copy: the work may go meanwhile
    --idle_;
  }
}

void SlowLane::ask(std::unique_lock<std::mutex>& lock, Client& client, const std::string& id) {
  works_.at(id).state = Work::State::Asked;
  client.set_version(version_);
  lock.unlock();
  const TimePoint asked = now();
  auto found = client.inspect(id);
  const TimePoint answered = now();
  lock.lock();
  if (client.stopped()) return;

  Work& work = works_.at(id);  // nobody else takes away what is asked
  if (!found) {
    if (found.error() != work.said) spdlog::warn("docker: inspect {}: {}", id.substr(0, 12), found.error());
    work.said = found.error();
    work.state = Work::State::Due;
    work.at = answered + work.retry;
    work.retry = std::min(2 * work.retry, longest_);
    work.again = false;
    return;
  }
  const bool exists = found->has_value();
  answered_({.id = id, .container = std::move(*found), .first = work.first, .asked = asked});
  if (work.again) {
    work = Work();
    work.at = answered;
    work.retry = retry_;
  } else if (exists && answered - asked >= kQuick) {
    work.state = Work::State::Rests;
    work.said.clear();
  } else {
    works_.erase(id);
  }
}

}  // namespace fairlead::providers::docker
