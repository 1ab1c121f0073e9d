#pragma once

#include "engine/exchange/middleware.h"
#include "engine/middleware/registry.h"
#include "engine/schema/option.h"

#include <memory>
#include <string>
#include <vector>

namespace fairlead::routing {
class Regex;
}

namespace fairlead::middleware {

struct StripPrefixRegexOptions {
  std::vector<std::string> regex;
};

// Removes what the first matching pattern finds at the beginning of the decoded path. Answers 400 when the
// rest is no clean path.
class StripPrefixRegex final : public exchange::HeadMiddleware {
 public:
  using Options = StripPrefixRegexOptions;
  using Patterns = std::vector<std::shared_ptr<const routing::Regex>>;
  static Configured<std::shared_ptr<const StripPrefixRegex>> make(Options options, Making& making);
  explicit StripPrefixRegex(Patterns patterns) : patterns_(std::move(patterns)) {}

  std::optional<exchange::Response> on_request(exchange::Exchange& x) const override;

 private:
  const Patterns patterns_;
};

}  // namespace fairlead::middleware

template <>
inline constexpr auto fairlead::schema::options<fairlead::middleware::StripPrefixRegexOptions> =
    table(option<&middleware::StripPrefixRegexOptions::regex>(
        "regex", "What the first of these matches at the beginning of the path is removed.",
        {.tier = Tier::T2}));
static_assert(fairlead::schema::complete<fairlead::middleware::StripPrefixRegexOptions>());
