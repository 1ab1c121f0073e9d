#pragma once

#include "engine/exchange/middleware.h"
#include "engine/middleware/breaker.h"
#include "engine/middleware/registry.h"
#include "engine/schema/option.h"

#include <memory>
#include <string>

namespace fairlead::middleware {

struct CircuitBreakerOptions {
  std::string expression;
  schema::Duration check_period = std::chrono::milliseconds(100);
  schema::Duration fallback_duration = std::chrono::seconds(10);
  schema::Duration recovery_duration = std::chrono::seconds(10);
  int response_code = 503;
};

// Stops sending requests to a service that fails or is slow, for a while; for each router by itself. Latency
// is the time to the response head: how fast a client reads does not count against the service.
class CircuitBreaker final : public exchange::Middleware {
 public:
  using Options = CircuitBreakerOptions;
  static Configured<std::shared_ptr<const CircuitBreaker>> make(Options options, Making& making);

  Task<exchange::Response> handle(exchange::Exchange& x, exchange::Next next) const override;

 private:
  Task<exchange::Response> watch(exchange::Exchange& x, exchange::Next next,
                                 std::shared_ptr<Breaker> breaker) const;

  std::shared_ptr<Breakers> breakers_;
  int status_ = 503;
};

}  // namespace fairlead::middleware

template <>
inline constexpr auto fairlead::schema::options<fairlead::middleware::CircuitBreakerOptions> =
    table(option<&middleware::CircuitBreakerOptions::expression>(
              "expression",
              "Condition that trips it: NetworkErrorRatio(), ResponseCodeRatio(a, b, c, d), "
              "LatencyAtQuantileMS(q), RequestThreshold().",
              {.tier = Tier::T2}),
          option<&middleware::CircuitBreakerOptions::check_period>(
              "checkPeriod", "The condition is looked at once in this time at most.",
              {.check = duration_not_negative, .tier = Tier::T3}),
          option<&middleware::CircuitBreakerOptions::fallback_duration>(
              "fallbackDuration", "Time for which nothing passes.",
              {.check = duration_not_negative, .tier = Tier::T3}),
          option<&middleware::CircuitBreakerOptions::recovery_duration>(
              "recoveryDuration", "Time in which more and more passes again.",
              {.check = duration_not_negative, .tier = Tier::T3}),
          option<&middleware::CircuitBreakerOptions::response_code>(
              "responseCode", "Status of what does not pass.", {.tier = Tier::T3}));
static_assert(fairlead::schema::complete<fairlead::middleware::CircuitBreakerOptions>());
