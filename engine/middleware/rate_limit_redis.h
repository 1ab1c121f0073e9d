#pragma once

#include "engine/base/result.h"
#include "engine/base/task.h"
#include "engine/event/loop.h"
#include "engine/middleware/registry.h"
#include "engine/middleware/token_buckets.h"
#include "engine/model/client_tls.h"
#include "engine/schema/option.h"

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace fairlead::upstream {
class Redis;
}

namespace fairlead::middleware {

struct RateLimitRedisOptions {
  std::vector<std::string> endpoints = {"localhost:6379"};
  std::string username;
  std::string password;
  int db = 0;
  std::optional<model::ClientTls> tls;
  int pool_size = 0;
  int min_idle_conns = 0;
  int max_active_conns = 0;
  schema::Duration read_timeout = std::chrono::seconds(3);
  schema::Duration write_timeout = std::chrono::seconds(3);
  schema::Duration dial_timeout = std::chrono::seconds(5);
};

// Token buckets that live in Redis, under `rate:<middleware>:<source>`: one limit for all instances. The
// clock is the server's.
class RateLimitRedis {
 public:
  static Configured<std::shared_ptr<const RateLimitRedis>> make(const RateLimitRedisOptions& options,
                                                                const BucketRules& rules, Making& making);

  // Errors: {500, Proxy} when Redis cannot be asked.
  Task<Result<TokenBuckets::Decision>> take(event::Loop& loop, std::string_view source) const;

 private:
  std::shared_ptr<const upstream::Redis> redis_;
  std::string name_;
  std::vector<std::string> arguments_;  // of the script: the rules
};

}  // namespace fairlead::middleware

template <>
inline constexpr auto fairlead::schema::options<fairlead::middleware::RateLimitRedisOptions> =
    table(option<&middleware::RateLimitRedisOptions::endpoints>(
              "endpoints", "Servers as host:port, tried in order; nodes of a cluster redirect.",
              {.tier = Tier::T3}),
          option<&middleware::RateLimitRedisOptions::username>("username", "User to log in as.",
                                                               {.tier = Tier::T3}),
          option<&middleware::RateLimitRedisOptions::password>("password", "Its password.",
                                                               {.secret = true, .tier = Tier::T3}),
          option<&middleware::RateLimitRedisOptions::db>("db", "Number of the database.",
                                                         {.check = not_negative, .tier = Tier::T3}),
          option<&middleware::RateLimitRedisOptions::tls>("tls", "Connect with TLS.", {.tier = Tier::T3}),
          option<&middleware::RateLimitRedisOptions::pool_size>(
              "poolSize", "Has no effect: each worker has one connection and pipelines over it.",
              {.tier = Tier::T3}),
          option<&middleware::RateLimitRedisOptions::min_idle_conns>(
              "minIdleConns", "Has no effect, see poolSize.", {.tier = Tier::T3}),
          option<&middleware::RateLimitRedisOptions::max_active_conns>(
              "maxActiveConns", "Has no effect, see poolSize.", {.tier = Tier::T3}),
          option<&middleware::RateLimitRedisOptions::read_timeout>(
              "readTimeout", "Longest wait for an answer.", {.tier = Tier::T3}),
          option<&middleware::RateLimitRedisOptions::write_timeout>(
              "writeTimeout", "Has no effect: writing never waits.", {.tier = Tier::T3}),
          option<&middleware::RateLimitRedisOptions::dial_timeout>(
              "dialTimeout", "Longest wait for a connection.", {.tier = Tier::T3}));
static_assert(fairlead::schema::complete<fairlead::middleware::RateLimitRedisOptions>());
