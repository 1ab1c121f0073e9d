#pragma once

#include "engine/base/clock.h"
#include "engine/middleware/breaker_metrics.h"
#include "engine/middleware/expression.h"

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <shared_mutex>
#include <string>
#include <string_view>

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

  explicit Breaker(std::shared_ptr<const BreakerRules> rules);

  bool lets_pass(TimePoint now);
  void record(int status, Duration latency, TimePoint now);
  State state() const { return state_.load(std::memory_order_relaxed); }
  // Everything passes, and there was no response of late.
  bool at_rest(TimePoint now);

 private:
  bool admits(TimePoint now);
  void enter(State state, TimePoint until);

  const std::shared_ptr<const BreakerRules> rules_;
  std::atomic<State> state_ = State::Standby;  // written under the lock
  std::mutex mutex_;                           // guards what follows
  BreakerMetrics metrics_;
  TimePoint until_{};
  TimePoint next_check_{};
  TimePoint recovering_since_{};
  std::int64_t admitted_ = 0;
  std::int64_t refused_ = 0;
};

// The breakers of one middleware, one for each router or service that uses it: routers lead to different
// services, and one that fails must not close those that are well. Shared by all workers.
class Breakers {
 public:
  explicit Breakers(BreakerRules rules) : rules_(std::make_shared<const BreakerRules>(std::move(rules))) {}

  // That of the owner; made when it is first asked for.
  std::shared_ptr<Breaker> of(std::string_view owner, TimePoint now);

 private:
  // From so many on, those at rest are dropped: they come and go.
  static constexpr std::size_t kSweep = 64;

  const std::shared_ptr<const BreakerRules> rules_;
  std::shared_mutex mutex_;  // guards what follows
  std::map<std::string, std::shared_ptr<Breaker>, std::less<>> by_owner_;
  std::size_t sweep_at_ = kSweep;
};

// The condition of the option `expression`.
Configured<Expression> parse_breaker_condition(std::string_view text);

}  // namespace fairlead::middleware
