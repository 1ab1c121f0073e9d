#pragma once

#include "engine/exchange/middleware.h"
#include "engine/middleware/rate_limit_redis.h"
#include "engine/middleware/registry.h"
#include "engine/middleware/source.h"
#include "engine/middleware/token_buckets.h"
#include "engine/schema/option.h"

#include <cstdint>
#include <memory>
#include <optional>

namespace fairlead::middleware {

struct RateLimitOptions {
  std::int64_t average = 0;
  schema::Duration period = std::chrono::seconds(1);
  std::int64_t burst = 1;
  std::optional<SourceCriterionOptions> source_criterion;
  std::optional<RateLimitRedisOptions> redis;
};

// What the options mean for one bucket. `average` is above zero.
BucketRules bucket_rules(const RateLimitOptions& options);

// Limits the requests of each source to `average` per `period`, with bursts. A request that would have to
// wait only a little is delayed, any other is answered 429. All workers share the limit, each router that
// names the middleware has its own; with `redis` it is one for all routers and instances.
class RateLimit final : public exchange::Middleware {
 public:
  using Options = RateLimitOptions;
  static Configured<std::shared_ptr<const RateLimit>> make(Options options, Making& making);

  Task<exchange::Response> handle(exchange::Exchange& x, exchange::Next next) const override;
  std::string_view counts_as() const override { return name_; }

 private:
  Task<exchange::Response> handle_shared(exchange::Exchange& x, exchange::Next next,
                                         std::string_view source) const;

  std::string name_;
  Source source_;
  std::shared_ptr<TokenBuckets> buckets_;  // null: unlimited, or limited in Redis
  std::shared_ptr<const RateLimitRedis> redis_;
};

}  // namespace fairlead::middleware

template <>
inline constexpr auto fairlead::schema::options<fairlead::middleware::RateLimitOptions> = table(
    option<&middleware::RateLimitOptions::average>(
        "average", "Requests per period and source; 0 means no limit.", {.check = not_negative}),
    option<&middleware::RateLimitOptions::period>("period", "Time that `average` counts for; 0 means 1s.",
                                                  {.check = duration_not_negative}),
    option<&middleware::RateLimitOptions::burst>("burst",
                                                 "Requests that may come at once; less than 1 means 1."),
    option<&middleware::RateLimitOptions::source_criterion>(
        "sourceCriterion", "What a source is; by default the client's address.", {.tier = Tier::T2}),
    option<&middleware::RateLimitOptions::redis>(
        "redis", "Keeps the buckets in Redis, for one limit over several instances.", {.tier = Tier::T3}));
static_assert(fairlead::schema::complete<fairlead::middleware::RateLimitOptions>());
