#pragma once

#include "engine/exchange/middleware.h"
#include "engine/middleware/go_expand.h"
#include "engine/middleware/registry.h"
#include "engine/schema/option.h"

#include <string>

namespace fairlead::middleware {

struct RedirectRegexOptions {
  std::string regex;
  std::string replacement;
  bool permanent = false;
};

// Redirects to what the replacement makes of "scheme://host[:port]/path?query". What does not match, or stays
// the same, passes.
class RedirectRegex final : public exchange::HeadMiddleware {
 public:
  using Options = RedirectRegexOptions;
  static Configured<std::shared_ptr<const RedirectRegex>> make(Options options, Making& making);
  RedirectRegex(Replacement replacement, bool permanent)
      : replacement_(std::move(replacement)), permanent_(permanent) {}

  std::optional<exchange::Response> on_request(exchange::Exchange& x) const override;

 private:
  const Replacement replacement_;
  const bool permanent_;
};

}  // namespace fairlead::middleware

template <>
inline constexpr auto fairlead::schema::options<fairlead::middleware::RedirectRegexOptions> =
    table(option<&middleware::RedirectRegexOptions::regex>("regex", "Matched with the whole URL.",
                                                           {.check = not_empty}),
          option<&middleware::RedirectRegexOptions::replacement>(
              "replacement", "URL to redirect to; $1 or ${name} are groups of the match."),
          option<&middleware::RedirectRegexOptions::permanent>("permanent",
                                                               "Answer 301 or 308 instead of 302 or 307."));
static_assert(fairlead::schema::complete<fairlead::middleware::RedirectRegexOptions>());
