#pragma once

#include "engine/exchange/middleware.h"
#include "engine/middleware/go_expand.h"
#include "engine/middleware/registry.h"
#include "engine/schema/option.h"

#include <memory>
#include <optional>
#include <string>
#include <utility>

namespace fairlead::middleware {

struct ReplacePathRegexOptions {
  std::string regex;
  std::string replacement;
};

// Rewrites the path, escapes and all, where the pattern matches; the server finds the old one in
// X-Replaced-Path. Answers 400 when the result is no clean path.
class ReplacePathRegex final : public exchange::HeadMiddleware {
 public:
  using Options = ReplacePathRegexOptions;
  static Configured<std::shared_ptr<const ReplacePathRegex>> make(Options options, Making& making);
  explicit ReplacePathRegex(std::optional<Replacement> replacement) : replacement_(std::move(replacement)) {}

  std::optional<exchange::Response> on_request(exchange::Exchange& x) const override;

 private:
  const std::optional<Replacement> replacement_;  // none: an empty one changes nothing, as in Traefik
};

}  // namespace fairlead::middleware

template <>
inline constexpr auto fairlead::schema::options<fairlead::middleware::ReplacePathRegexOptions> = table(
    option<&middleware::ReplacePathRegexOptions::regex>("regex", "Matched with the escaped path.",
                                                        {.check = not_empty, .tier = Tier::T2}),
    option<&middleware::ReplacePathRegexOptions::replacement>(
        "replacement",
        "Takes the place of each match; $1 or ${name} are groups of it. Empty: the path stays as it is.",
        {.tier = Tier::T2}));
static_assert(fairlead::schema::complete<fairlead::middleware::ReplacePathRegexOptions>());
