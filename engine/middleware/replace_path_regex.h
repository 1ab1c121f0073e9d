#pragma once

#include "engine/exchange/middleware.h"
#include "engine/middleware/go_expand.h"
#include "engine/middleware/registry.h"
#include "engine/schema/option.h"

#include <string>

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
  explicit ReplacePathRegex(Replacement replacement) : replacement_(std::move(replacement)) {}

  std::optional<exchange::Response> on_request(exchange::Exchange& x) const override;

 private:
  const Replacement replacement_;
};

}  // namespace fairlead::middleware

template <>
inline constexpr auto fairlead::schema::options<fairlead::middleware::ReplacePathRegexOptions> = table(
    option<&middleware::ReplacePathRegexOptions::regex>("regex", "Matched with the escaped path.",
                                                        {.check = not_empty, .tier = Tier::T2}),
    option<&middleware::ReplacePathRegexOptions::replacement>(
        "replacement", "Takes the place of each match; $1 or ${name} are groups of it.", {.tier = Tier::T2}));
static_assert(fairlead::schema::complete<fairlead::middleware::ReplacePathRegexOptions>());
