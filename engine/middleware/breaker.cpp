#include "engine/middleware/breaker.h"

#include <algorithm>
#include <array>

namespace fairlead::middleware {
namespace {

enum : std::size_t { kNetworkErrorRatio, kResponseCodeRatio, kLatencyAtQuantile, kRequestThreshold };
constexpr std::array kFunctions = {
    Expression::Function{"NetworkErrorRatio", Expression::Type::Real, 0},
    Expression::Function{"ResponseCodeRatio", Expression::Type::Real, 4},
    Expression::Function{"LatencyAtQuantileMS", Expression::Type::Integer, 1},
    Expression::Function{"RequestThreshold", Expression::Type::Integer, 0},
};

class Now final : public Expression::Values {
 public:
  Now(const BreakerMetrics& metrics, TimePoint now) : metrics_(metrics), now_(now) {}
  std::int64_t integer(std::size_t function, std::span<const double> arguments) const override {
    return function == kLatencyAtQuantile ? metrics_.latency_ms(arguments[0], now_) : metrics_.total(now_);
  }
  double real(std::size_t function, std::span<const double> arguments) const override {
    if (function == kNetworkErrorRatio) return metrics_.network_error_ratio(now_);
    const auto code = [&](std::size_t i) { return static_cast<int>(std::clamp(arguments[i], 0.0, 1000.0)); };
    return metrics_.code_ratio(code(0), code(1), code(2), code(3), now_);
  }

 private:
  const BreakerMetrics& metrics_;
  TimePoint now_;
};

}  // namespace

Configured<Expression> parse_breaker_condition(std::string_view text) {
  return Expression::parse(text, kFunctions);
}

Breaker::Breaker(std::shared_ptr<const BreakerRules> rules)
    : rules_(std::move(rules)), metrics_(rules_->condition.uses(kLatencyAtQuantile)) {}

bool Breaker::at_rest(TimePoint now) {
  const std::lock_guard lock(mutex_);
  return state() == State::Standby && metrics_.total(now) == 0;
}

void Breaker::enter(State state, TimePoint until) {
  state_.store(state, std::memory_order_relaxed);
  until_ = until;
}

bool Breaker::lets_pass(TimePoint now) {
  if (state() == State::Standby) return true;
  const std::lock_guard lock(mutex_);
  if (state() == State::Tripped) {
    if (now < until_) return false;
    enter(State::Recovering, now + rules_->recovery);
    recovering_since_ = now;
    admitted_ = refused_ = 0;
  }
  if (state() == State::Standby) return true;
  if (now > until_) {
    enter(State::Standby, now);
    return true;
  }
  return admits(now);
}

// The share of admitted requests follows a line from 0 to one half over the recovery time.
bool Breaker::admits(TimePoint now) {
  const double passed = static_cast<double>((now - recovering_since_).count());
  const double target =
      rules_->recovery > Duration{} ? 0.5 * passed / static_cast<double>(rules_->recovery.count()) : 1;
  const double share = static_cast<double>(admitted_ + 1) / static_cast<double>(admitted_ + 1 + refused_);
  if (share < target) {
    ++admitted_;
    return true;
  }
  ++refused_;
  return false;
}

void Breaker::record(int status, Duration latency, TimePoint now) {
  const std::lock_guard lock(mutex_);
  metrics_.record(status, latency, now);
  if (now < next_check_) return;
  next_check_ = now + rules_->check_period;
  if (state() == State::Tripped || !rules_->condition.holds(Now(metrics_, now))) return;
  enter(State::Tripped, now + rules_->fallback);
  metrics_.reset();
}

std::shared_ptr<Breaker> Breakers::of(std::string_view owner, TimePoint now) {
  {
    const std::shared_lock lock(mutex_);
    if (const auto found = by_owner_.find(owner); found != by_owner_.end()) return found->second;
  }
  const std::lock_guard lock(mutex_);
  if (by_owner_.size() >= sweep_at_) {
    std::erase_if(by_owner_, [now](const auto& entry) { return entry.second->at_rest(now); });
    sweep_at_ = std::max(kSweep, 2 * by_owner_.size());
  }
  auto& breaker = by_owner_[std::string(owner)];
  if (!breaker) breaker = std::make_shared<Breaker>(rules_);
  return breaker;
}

}  // namespace fairlead::middleware
