#pragma once

#include "engine/exchange/middleware.h"
#include "engine/middleware/registry.h"
#include "engine/schema/option.h"

#include <optional>
#include <string>
#include <vector>

namespace fairlead::middleware {

struct StripPrefixOptions {
  std::vector<std::string> prefixes;
  std::optional<bool> force_slash;
};

// Removes the first listed prefix that the decoded path begins with, and tells the server about it by
// X-Forwarded-Prefix. Answers 400 when the rest is no clean path ("/api../admin" without "/api").
class StripPrefix final : public exchange::HeadMiddleware {
 public:
  using Options = StripPrefixOptions;
  static Configured<std::shared_ptr<const StripPrefix>> make(Options options, Making& making);
  StripPrefix(std::vector<std::string> prefixes, bool force_slash)
      : prefixes_(std::move(prefixes)), force_slash_(force_slash) {}

  std::optional<exchange::Response> on_request(exchange::Exchange& x) const override;

 private:
  const std::vector<std::string> prefixes_;  // not escaped
  const bool force_slash_;
};

}  // namespace fairlead::middleware

template <>
inline constexpr auto fairlead::schema::options<fairlead::middleware::StripPrefixOptions> =
    table(option<&middleware::StripPrefixOptions::prefixes>(
              "prefixes", "The first of these that the path begins with is removed."),
          option<&middleware::StripPrefixOptions::force_slash>(
              "forceSlash", "Keep a slash when nothing is left of the path.",
              {.deprecated = true, .tier = Tier::T2}));
static_assert(fairlead::schema::complete<fairlead::middleware::StripPrefixOptions>());
