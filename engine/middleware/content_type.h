#pragma once

#include "engine/exchange/middleware.h"
#include "engine/schema/option.h"

#include <optional>

namespace fairlead::middleware {

struct ContentTypeOptions {
  std::optional<bool> auto_detect;
};

// Guesses the Content-Type of a response that has none from its first bytes. Without this middleware none is
// made up.
class ContentType final : public exchange::Middleware {
 public:
  using Options = ContentTypeOptions;
  explicit ContentType(const Options& options) : detects_(options.auto_detect.value_or(true)) {}

  Task<exchange::Response> handle(exchange::Exchange& x, exchange::Next next) const override;

 private:
  const bool detects_;
};

}  // namespace fairlead::middleware

template <>
inline constexpr auto fairlead::schema::options<fairlead::middleware::ContentTypeOptions> =
    table(option<&middleware::ContentTypeOptions::auto_detect>(
        "autoDetect", "false: guess nothing, as if the middleware were not there.",
        {.deprecated = true, .tier = Tier::T3}));
static_assert(fairlead::schema::complete<fairlead::middleware::ContentTypeOptions>());
