#include "engine/middleware/rate_limit.h"

#include "engine/schema/duration.h"

#include <algorithm>
#include <limits>

namespace fairlead::middleware {
namespace {

using exchange::Exchange;
using exchange::Response;
using namespace std::chrono_literals;

Response too_many(Exchange& x, Duration wait) {
  x.record.cause = Error{429, Fault::Client, false, "more requests than rateLimit lets pass"};
  Response response = exchange::answer(x, 429);
  const auto seconds = std::chrono::ceil<std::chrono::seconds>(wait).count();
  response.head.fields.set("Retry-After", std::to_string(seconds));
  response.head.fields.add("X-Retry-In", schema::print_duration(wait));
  return response;
}

Task<Response> after(Exchange& x, exchange::Next next, Duration wait) {
  co_await x.loop.sleep(wait);
  Response response = co_await next(x);
  co_return response;
}

}  // namespace

BucketRules bucket_rules(const RateLimitOptions& options) {
  const Duration period = options.period > 0ns ? options.period : Duration(1s);
  const double rate = static_cast<double>(options.average) / (static_cast<double>(period.count()) / 1e9);
  BucketRules rules;
  rules.interval = std::max(Duration(1), period / options.average);
  rules.burst = std::max<std::int64_t>(1, options.burst);
  rules.max_delay =
      rate < 1 ? Duration(500ms) : Duration(1s) / (2 * static_cast<std::int64_t>(std::min(rate, 1e9)));
  rules.forget_after =
      rate >= 1 ? Duration(2s) : Duration(1s) + std::chrono::floor<std::chrono::seconds>(rules.interval);
  return rules;
}

Configured<std::shared_ptr<const RateLimit>> RateLimit::make(Options options, Making& making) {
  auto made = std::make_shared<RateLimit>();
  auto source = Source::make(options.source_criterion, Source::Kind::Ip);
  if (!source) return std::unexpected(std::move(source.error()));
  made->source_ = std::move(*source);
  made->name_ = making.name;
  if (options.average == 0) return made;

  const BucketRules rules = bucket_rules(options);
  if (options.redis) {
    auto redis = RateLimitRedis::make(*options.redis, rules, making);
    if (!redis) return std::unexpected(std::move(redis.error()));
    made->redis_ = std::move(*redis);
    return made;
  }
  made->buckets_ = making.carry_over.get<TokenBuckets>(making.name, making.options_hash,
                                                       [&] { return std::make_shared<TokenBuckets>(rules); });
  return made;
}

Task<Response> RateLimit::handle(Exchange& x, exchange::Next next) const {
  if (redis_) return handle_shared(x, next, source_.of(x));
  if (!buckets_) return next(x);
  const TokenBuckets::Decision decision = buckets_->take(source_.of(x), x.loop.now(), next.owner(x));
  if (!decision.allowed) return Task<Response>::ready(too_many(x, decision.wait));
  return decision.wait > 0ns ? after(x, next, decision.wait) : next(x);
}

Task<Response> RateLimit::handle_shared(Exchange& x, exchange::Next next, std::string_view source) const {
  Result<TokenBuckets::Decision> decision = co_await redis_->take(x.loop, source);
  if (!decision) co_return exchange::failure(x, std::move(decision.error()));
  if (!decision->allowed) co_return too_many(x, decision->wait);
  if (decision->wait > 0ns) co_await x.loop.sleep(decision->wait);
  Response response = co_await next(x);
  co_return response;
}

}  // namespace fairlead::middleware
