#pragma once

#include "engine/base/clock.h"
#include "engine/middleware/breaker_metrics.h"
#include "engine/middleware/expression.h"

#include <atomic>
#include <cstdint>
#include <mutex>

namespace fairlead::middleware {

struct BreakerRules {
  Expression condition;
  Duration check_period{};
  Duration fallback{};
  Duration recovery{};
};

// The state of one circuit breaker, shared by all workers under a short lock.
//   standby    everything passes; the condition is looked at after responses, at most once per check period
//   tripped    nothing passes until the fallback time is over
//   recovering a share that grows from nothing to one half passes, then standby; the condition trips it again
class Breaker {
 public:
  enum class State : unsigned char { Standby, Tripped, Recovering };

  explicit Breaker(BreakerRules rules);

  bool lets_pass(TimePoint now);
  void record(int status, Duration latency, TimePoint now);
  State state() const { return state_.load(std::memory_order_relaxed); }

 private:
  bool admits(TimePoint now);
  void enter(State state, TimePoint until);

  const BreakerRules rules_;
  std::atomic<State> state_ = State::Standby;  // written under the lock
  std::mutex mutex_;                           // guards what follows
  BreakerMetrics metrics_;
  TimePoint until_{};
  TimePoint next_check_{};
  TimePoint recovering_since_{};
  std::int64_t admitted_ = 0;
  std::int64_t refused_ = 0;
};

// The condition of the option `expression`.
Configured<Expression> parse_breaker_condition(std::string_view text);

}  // namespace fairlead::middleware
