#include "engine/middleware/rate_limit_redis.h"

#include "engine/middleware/watched_tls.h"
#include "engine/upstream/redis.h"

#include <fmt/format.h>

#include <functional>
#include <tuple>

namespace fairlead::middleware {
namespace {

constexpr const char* kOneConnection =
    "has no effect: each worker has one connection and sends all questions over it";

// The arithmetic of TokenBuckets, in microseconds. A source that is refused is remembered as well.
constexpr const char* kScript = R"lua(
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local interval, burst, max_delay = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local full_at = tonumber(redis.call('GET', KEYS[1]) or now)
if full_at < now then full_at = now end
local wait = full_at + interval - now - interval * burst
if wait < 0 then wait = 0 end
if wait > max_delay then
  redis.call('PEXPIRE', KEYS[1], ARGV[4])
  return {0, math.ceil(wait)}
end
redis.call('SET', KEYS[1], string.format('%.3f', full_at + interval), 'PX', ARGV[4])
return {1, math.ceil(wait)}
)lua";

void tell_what_has_no_effect(const RateLimitRedisOptions& options, schema::Problems& notices) {
  const RateLimitRedisOptions unset;
  const std::tuple<const char*, bool, const char*> given[] = {
      {"poolSize", options.pool_size != unset.pool_size, kOneConnection},
      {"minIdleConns", options.min_idle_conns != unset.min_idle_conns, kOneConnection},
      {"maxActiveConns", options.max_active_conns != unset.max_active_conns, kOneConnection},
      {"writeTimeout", options.write_timeout != unset.write_timeout,
       "has no effect: writing never waits, and readTimeout bounds the whole question"}};
  for (const auto& [key, is_given, what] : given) {
    if (!is_given) continue;
    schema::Problem& notice = notices.emplace_back();
    notice.kind = schema::Problem::Kind::Ignored;
    notice.severity = schema::Severity::Warning;
    notice.segments = {"redis", key};
    notice.path = std::string("redis.") + key;
    notice.key = key;
    notice.what = what;
  }
}

std::string microseconds(Duration duration) {
  return fmt::format("{:.3f}", static_cast<double>(duration.count()) / 1e3);
}

}  // namespace

Configured<std::shared_ptr<const RateLimitRedis>> RateLimitRedis::make(const RateLimitRedisOptions& options,
                                                                       const BucketRules& rules,
                                                                       Making& making) {
  std::function<std::shared_ptr<const upstream::FetchTls>()> tls;
  if (options.tls) {
    auto made = WatchedTls::make(*options.tls, making);
    if (!made) return misconfigured("redis." + made.error().path, made.error().what);
    tls = [files = std::move(*made)] { return files->now(); };
  }
  tell_what_has_no_effect(options, making.notices);
  auto redis = upstream::Redis::make({.endpoints = options.endpoints,
                                      .username = options.username,
                                      .password = options.password,
                                      .db = options.db,
                                      .tls = std::move(tls),
                                      .dial_timeout = options.dial_timeout,
                                      .read_timeout = options.read_timeout});
  if (!redis) return misconfigured("redis." + redis.error().path, redis.error().what);
  auto made = std::make_shared<RateLimitRedis>();
  made->redis_ = std::move(*redis);
  made->name_ = making.name;
  const auto forget_after = std::chrono::duration_cast<std::chrono::milliseconds>(rules.forget_after);
  made->arguments_ = {microseconds(rules.interval), std::to_string(rules.burst),
                      microseconds(rules.max_delay), std::to_string(forget_after.count())};
  return made;
}

Task<Result<TokenBuckets::Decision>> RateLimitRedis::take(event::Loop& loop, std::string_view source) const {
  // EVAL rather than EVALSHA: Redis keeps the compiled script by its text, and 600 bytes are nothing.
  std::vector<std::string> words = {"EVAL", kScript, "1", fmt::format("rate:{}:{}", name_, source)};
  words.insert(words.end(), arguments_.begin(), arguments_.end());
  Result<upstream::RedisReply> reply = co_await redis_->command(loop, std::move(words));
  if (!reply) co_return fail(500, Fault::Proxy, std::move(reply.error().detail));
  using Kind = upstream::RedisReply::Kind;
  if (reply->kind != Kind::List || reply->items.size() != 2 || reply->items[0].kind != Kind::Integer ||
      reply->items[1].kind != Kind::Integer)
    co_return fail(500, Fault::Proxy,
                   "redis: " + (reply->kind == Kind::Error ? reply->text : "unexpected answer"));
  co_return TokenBuckets::Decision{.allowed = reply->items[0].integer == 1,
                                   .wait = std::chrono::microseconds(reply->items[1].integer)};
}

}  // namespace fairlead::middleware
