#include "engine/middleware/circuit_breaker.h"

namespace fairlead::middleware {

using exchange::Exchange;
using exchange::Response;

Configured<std::shared_ptr<const CircuitBreaker>> CircuitBreaker::make(Options options, Making& making) {
  if (options.expression.empty()) return misconfigured("expression", "is missing");
  auto condition = parse_breaker_condition(options.expression);
  if (!condition) return misconfigured("expression", std::move(condition.error().what));
  if (options.response_code < 200 || options.response_code > 599)
    return misconfigured("responseCode", "must be a status from 200 to 599");
  // 0 is "not set", as in Traefik.
  const CircuitBreakerOptions usual;
  if (options.check_period == Duration{}) options.check_period = usual.check_period;
  if (options.fallback_duration == Duration{}) options.fallback_duration = usual.fallback_duration;
  if (options.recovery_duration == Duration{}) options.recovery_duration = usual.recovery_duration;
  auto made = std::make_shared<CircuitBreaker>();
  made->status_ = options.response_code;
  made->breakers_ = making.carry_over.get<Breakers>(making.name, making.options_hash, [&] {
    return std::make_shared<Breakers>(BreakerRules{.condition = std::move(*condition),
                                                   .check_period = options.check_period,
                                                   .fallback = options.fallback_duration,
                                                   .recovery = options.recovery_duration});
  });
  return made;
}

Task<Response> CircuitBreaker::handle(Exchange& x, exchange::Next next) const {
  std::shared_ptr<Breaker> breaker = breakers_->of(next.owner(x), x.loop.now());
  if (!breaker->lets_pass(x.loop.now())) {
    x.record.cause = Error{status_, Fault::Upstream, false, "the circuit breaker is open"};
    // The words "404 page not found" are for hosts and paths that nobody serves.
    return Task<Response>::ready(exchange::answer(x, status_, status_ == 404 ? "Not Found" : ""));
  }
  return watch(x, next, std::move(breaker));
}

Task<Response> CircuitBreaker::watch(Exchange& x, exchange::Next next,
                                     std::shared_ptr<Breaker> breaker) const {
  const TimePoint begun = x.loop.now();
  Response response = co_await next(x);
  // What a container refused and no successor took is answered 503; it is a network error all the same.
  const bool refused = response.head.status == 503 && x.record.reason == "unreachable";
  breaker->record(refused ? 502 : response.head.status, x.loop.now() - begun, x.loop.now());
  co_return response;
}

}  // namespace fairlead::middleware
