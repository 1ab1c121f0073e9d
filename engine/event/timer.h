#pragma once

#include "engine/base/clock.h"

#include <array>
#include <cstddef>
#include <cstdint>

namespace fairlead::event {

class TimerWheel;
class Timer;

// Told when a timer of its own fires. It may arm the timer again, or destroy it.
class TimerUser {
 public:
  virtual void on_timer(Timer& timer) = 0;

 protected:
  ~TimerUser() = default;
};

// One time limit, a member of what it limits; destroying it cancels it.
//
// Moving the deadline further away costs one store: the wheel looks at the real deadline when the old one
// comes up (lazy), so an idle timer that is pushed back at every request costs nothing.
class Timer {
 public:
  Timer(TimerWheel& wheel, TimerUser& user) : wheel_(&wheel), user_(&user) {}
  Timer(const Timer&) = delete;
  Timer& operator=(const Timer&) = delete;
  ~Timer() { cancel(); }

  // Fires once, not before `deadline` and at most one wheel tick (8 ms) after it.
  void arm(TimePoint deadline);
  void cancel();
  bool armed() const { return armed_; }
  TimePoint deadline() const { return deadline_; }

 private:
  friend class TimerWheel;
  TimerWheel* wheel_;
  TimerUser* user_;
  Timer* next_ = nullptr;
  Timer* previous_ = nullptr;
  TimePoint deadline_{};
  std::uint64_t slot_tick_ = 0;     // when the wheel looks at it; only while linked
  std::uint16_t slot_ = kUnlinked;  // level * 256 + index
  bool armed_ = false;

  static constexpr std::uint16_t kUnlinked = 0xffff;
};

// Timers of one loop: three levels of 256 slots; level 0 holds 8.4 ms per slot, the others 2.1 s and 9 min
// (longer waits are looked at again when their last slot comes up). A bitmap per level finds the next
// occupied slot without a walk, so that a loop with only far timers sleeps.
class TimerWheel {
 public:
  explicit TimerWheel(TimePoint start) : start_(start) {}
  ~TimerWheel();

  // Fires what is due at `now`.
  void advance(TimePoint now);
  // When advance() should be called next; TimePoint::max() when no timer is linked.
  TimePoint next() const;

 private:
  friend class Timer;
  static constexpr int kTickShift = 23;  // ns: 2^23 = 8.4 ms
  static constexpr int kLevels = 3;
  static constexpr std::size_t kSlots = 256;

  std::uint64_t tick_of(TimePoint when, bool round_up) const;
  void link(Timer& timer);
  void unlink(Timer& timer);
  void run_slot(int level, std::size_t index, TimePoint now);

  TimePoint start_;
  std::uint64_t tick_ = 0;  // every slot before it has been run
  std::array<std::array<Timer*, kSlots>, kLevels> slots_{};
  std::array<std::array<std::uint64_t, kSlots / 64>, kLevels> occupied_{};
};

}  // namespace fairlead::event
