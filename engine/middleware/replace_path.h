#pragma once

#include "engine/exchange/middleware.h"
#include "engine/middleware/registry.h"
#include "engine/schema/option.h"

#include <string>

namespace fairlead::middleware {

struct ReplacePathOptions {
  std::string path;
};

// Replaces the whole path; the query stays. The server finds the old path in X-Replaced-Path.
class ReplacePath final : public exchange::HeadMiddleware {
 public:
  using Options = ReplacePathOptions;
  static Configured<std::shared_ptr<const ReplacePath>> make(Options options, Making& making);
  explicit ReplacePath(std::string path) : path_(std::move(path)) {}

  std::optional<exchange::Response> on_request(exchange::Exchange& x) const override;

 private:
  const std::string path_;  // escaped
};

}  // namespace fairlead::middleware

template <>
inline constexpr auto fairlead::schema::options<fairlead::middleware::ReplacePathOptions> =
    table(option<&middleware::ReplacePathOptions::path>("path", "The new path; escapes (%2F) are kept.",
                                                        {.check = not_empty, .tier = Tier::T2}));
static_assert(fairlead::schema::complete<fairlead::middleware::ReplacePathOptions>());
