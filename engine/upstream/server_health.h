#pragma once

#include "engine/base/clock.h"

#include <atomic>
#include <cstddef>
#include <deque>
#include <mutex>
#include <string>

namespace fairlead::upstream {

// Failures of real requests on one server since its last success, by the workers together. The lock is taken
// by failures only.
class FailureWindow {
 public:
  // True when this one makes `limit` of them within `window`.
  bool add(TimePoint now, Duration window, std::size_t limit) {
    const std::lock_guard lock(mutex_);
    while (!times_.empty() && now - times_.front() >= window) times_.pop_front();
    times_.push_back(now);
    while (times_.size() > limit) times_.pop_front();
    any_.store(true, std::memory_order_relaxed);
    return times_.size() >= limit;
  }
  void clear() {
    if (!any_.load(std::memory_order_relaxed)) return;
    const std::lock_guard lock(mutex_);
    times_.clear();
    any_.store(false, std::memory_order_relaxed);
  }

 private:
  std::atomic<bool> any_ = false;
  std::mutex mutex_;
  std::deque<TimePoint> times_;
};

// Why a server is out, and since when.
struct Illness {
  std::string reason;  // "status 500", "3 failed requests: connect 10.0.0.2:80: refused"
  WallTime since{};
  TimePoint began{};
  bool by_requests = false;  // found by the passive check
};

// Whether a server is well, by active and passive checks, and why not. Picks read the flag alone.
class Health {
 public:
  bool good() const { return good_.load(std::memory_order_relaxed); }
  // True when it was well before. Else the illness is the same, and what is known of it is the latest.
  bool fail(Illness illness) {
    const std::lock_guard lock(mutex_);
    if (!good_.load(std::memory_order_relaxed)) {
      illness_.reason = std::move(illness.reason);
      return false;
    }
    illness_ = std::move(illness);
    good_.store(false, std::memory_order_relaxed);
    return true;
  }
  // True when it was not well before.
  bool recover() {
    if (good()) return false;
    const std::lock_guard lock(mutex_);
    return !good_.exchange(true, std::memory_order_relaxed);
  }
  // Of a server that is not well.
  Illness illness() const {
    const std::lock_guard lock(mutex_);
    return illness_;
  }

  FailureWindow failures;

 private:
  std::atomic<bool> good_ = true;
  mutable std::mutex mutex_;
  Illness illness_;
};

}  // namespace fairlead::upstream
