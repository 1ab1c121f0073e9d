#pragma once

#include "engine/exchange/middleware.h"
#include "engine/middleware/registry.h"
#include "engine/middleware/status_ranges.h"
#include "engine/schema/option.h"

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace fairlead::middleware {

struct RetryOptions {
  int attempts = 0;
  schema::Duration initial_interval{};
  schema::Duration timeout{};
  std::vector<std::string> status;
  std::int64_t max_request_body_bytes = 2'097'152;
  bool disable_retry_on_network_error = false;
  bool retry_non_idempotent_method = false;
};

// Asks again: after a network error as long as no byte of the request reached a server, and, where `status`
// says so, after a response with one of these codes, the 503 of a service without servers included. What
// other middlewares answer is never asked again. The body is kept as it passes, so that it can be sent again;
// nothing is read ahead.
class Retry final : public exchange::Middleware {
 public:
  using Options = RetryOptions;
  static Configured<std::shared_ptr<const Retry>> make(Options options, Making& making);

  Task<exchange::Response> handle(exchange::Exchange& x, exchange::Next next) const override;

 private:
  Task<exchange::Response> repeat(exchange::Exchange& x, exchange::Next next) const;
  bool wants_again(const exchange::Exchange& x, const exchange::Response& response) const;
  Duration pause_before(int attempt) const;

  Options options_;
  StatusRanges statuses_;
};

}  // namespace fairlead::middleware

template <>
inline constexpr auto fairlead::schema::options<fairlead::middleware::RetryOptions> = table(
    option<&middleware::RetryOptions::attempts>("attempts", "Tries in all, the first included.",
                                                {.check = positive, .tier = Tier::T2}),
    option<&middleware::RetryOptions::initial_interval>(
        "initialInterval", "First pause; later ones grow to twice as much. 0 does not wait.",
        {.check = duration_not_negative, .tier = Tier::T2}),
    option<&middleware::RetryOptions::timeout>("timeout",
                                               "No further try once this long passed; 0: no limit.",
                                               {.check = duration_not_negative, .tier = Tier::T3}),
    option<&middleware::RetryOptions::status>("status", "Response codes and ranges that are tried again.",
                                              {.tier = Tier::T2}),
    option<&middleware::RetryOptions::max_request_body_bytes>(
        "maxRequestBodyBytes",
        "A request with a larger body is not tried again for its status; -1: no limit.", {.tier = Tier::T3}),
    option<&middleware::RetryOptions::disable_retry_on_network_error>(
        "disableRetryOnNetworkError", "Try again for `status` only.", {.tier = Tier::T3}),
    option<&middleware::RetryOptions::retry_non_idempotent_method>(
        "retryNonIdempotentMethod", "Try POST, PATCH and LOCK again for their status too.",
        {.tier = Tier::T3}));
static_assert(fairlead::schema::complete<fairlead::middleware::RetryOptions>());
