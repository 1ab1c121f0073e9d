#pragma once

#include <chrono>

namespace fairlead {

using Duration = std::chrono::nanoseconds;
using TimePoint = std::chrono::time_point<std::chrono::steady_clock, Duration>;
using WallTime = std::chrono::time_point<std::chrono::system_clock, Duration>;

// Where a loop takes its time from; tests move a ManualClock.
class Clock {
 public:
  virtual ~Clock() = default;
  virtual TimePoint now() const = 0;
  virtual WallTime wall() const = 0;
  // True when time moves by itself: only then may a loop sleep until its next timer.
  virtual bool runs() const { return true; }
};

class SystemClock final : public Clock {
 public:
  TimePoint now() const override { return std::chrono::steady_clock::now(); }
  WallTime wall() const override { return std::chrono::system_clock::now(); }
  // Since 1970.
  std::int64_t unix_seconds() const { return wall().time_since_epoch() / std::chrono::seconds(1); }
  static const SystemClock& instance() {
    static const SystemClock clock;
    return clock;
  }
};

class ManualClock final : public Clock {
 public:
  TimePoint now() const override { return now_; }
  WallTime wall() const override {
    return WallTime(std::chrono::seconds(1'700'000'000)) + (now_ - TimePoint{});
  }
  bool runs() const override { return false; }
  void advance(Duration by) { now_ += by; }

 private:
  TimePoint now_{std::chrono::seconds(1)};
};

}  // namespace fairlead
