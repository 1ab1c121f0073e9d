#pragma once

#include "engine/exchange/middleware.h"
#include "engine/exchange/spool.h"
#include "engine/middleware/expression.h"
#include "engine/middleware/registry.h"
#include "engine/schema/option.h"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

namespace fairlead::middleware {

struct BufferingOptions {
  std::int64_t max_request_body_bytes = 0;
  std::int64_t mem_request_body_bytes = 0;
  std::int64_t max_response_body_bytes = 0;
  std::int64_t mem_response_body_bytes = 0;
  std::string retry_expression;
};

// Reads the whole request before it goes on, and the whole response before it goes back: in memory first,
// then in an unlinked temporary file. Tunnels pass.
class Buffering final : public exchange::Middleware {
 public:
  using Options = BufferingOptions;
  static Configured<std::shared_ptr<const Buffering>> make(Options options, Making& making);

  Task<exchange::Response> handle(exchange::Exchange& x, exchange::Next next) const override;

 private:
  Task<exchange::Response> buffer_response(exchange::Exchange& x, exchange::Response response) const;
  bool wants_again(const exchange::Exchange& x, const exchange::Response& response, int attempt) const;

  exchange::SpoolLimits request_;
  exchange::SpoolLimits response_;
  std::optional<Expression> retry_;
};

}  // namespace fairlead::middleware

template <>
inline constexpr auto fairlead::schema::options<fairlead::middleware::BufferingOptions> =
    table(option<&middleware::BufferingOptions::max_request_body_bytes>(
              "maxRequestBodyBytes", "A larger request is answered 413; 0: 1 GiB.",
              {.check = not_negative, .tier = Tier::T2}),
          option<&middleware::BufferingOptions::mem_request_body_bytes>(
              "memRequestBodyBytes", "What is more goes to a temporary file; 0: 1 MiB.",
              {.check = not_negative, .tier = Tier::T3}),
          option<&middleware::BufferingOptions::max_response_body_bytes>(
              "maxResponseBodyBytes", "A larger response is answered 500; 0: 1 GiB.",
              {.check = not_negative, .tier = Tier::T3}),
          option<&middleware::BufferingOptions::mem_response_body_bytes>(
              "memResponseBodyBytes", "What is more goes to a temporary file; 0: 1 MiB.",
              {.check = not_negative, .tier = Tier::T3}),
          option<&middleware::BufferingOptions::retry_expression>(
              "retryExpression", "Sends the request again while this holds, at most ten times.",
              {.tier = Tier::T3}));
static_assert(fairlead::schema::complete<fairlead::middleware::BufferingOptions>());
