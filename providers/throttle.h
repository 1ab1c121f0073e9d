#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <optional>

namespace fairlead::providers {

// Gathers changes: they are due when none came for a while, and 1 s after the first one at the latest, so
// that a storm of events cannot keep a change waiting. A value; the caller brings the time.
class Throttle {
 public:
  using Clock = std::chrono::steady_clock;
  using Duration = std::chrono::nanoseconds;

  static constexpr Duration kQuiet = std::chrono::milliseconds(100);
  static constexpr Duration kMost = std::chrono::seconds(1);

  // `quiet` is providersThrottleDuration, of which more than 1 s counts as 1 s; 0 never waits.
  explicit Throttle(Duration quiet = kQuiet)
      : quiet_(std::clamp(quiet, Duration::zero(), kMost)),
        most_(quiet_ == Duration::zero() ? quiet_ : kMost) {}

  void changed(Clock::time_point now) {
    if (!first_) first_ = now;
    last_ = now;
  }

  // When the gathered changes are to be published; nothing when there are none.
  std::optional<Clock::time_point> due() const {
    if (!first_) return std::nullopt;
    return std::min(last_ + quiet_, *first_ + most_);
  }

  // True when changes are due; they count as published then.
  bool take(Clock::time_point now) {
    if (!first_ || now < *due()) return false;
    first_.reset();
    return true;
  }

  // The gathered changes count as published: the caller did it at once.
  void reset() { first_.reset(); }

 private:
  Duration quiet_, most_;
  std::optional<Clock::time_point> first_;
  Clock::time_point last_;
};

// Exponential waits between attempts that fail: 500 ms, ×1.5, at most 60 s, half of it at random. An attempt
// that lasted 30 s starts over.
class BackOff {
 public:
  using Duration = std::chrono::milliseconds;

  // `dice` is anything from 0 to 1.
  Duration next(Duration lasted, double dice) {
    if (lasted >= std::chrono::seconds(30)) reset();
    const double wait = current_ * (0.5 + dice);
    current_ = std::min(current_ * 1.5, 60'000.0);
    return Duration(static_cast<std::int64_t>(wait));
  }
  void reset() { current_ = 500; }

 private:
  double current_ = 500;  // ms
};

}  // namespace fairlead::providers
