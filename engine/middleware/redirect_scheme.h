#pragma once

#include "engine/exchange/middleware.h"
#include "engine/middleware/registry.h"
#include "engine/schema/option.h"

#include <string>

namespace fairlead::middleware {

struct RedirectSchemeOptions {
  std::string scheme;
  std::string port;
  bool permanent = false;
  bool keep_method = false;  // ours
};

// Redirects to the same URL with another scheme or port; passes requests that already have both.
class RedirectScheme final : public exchange::HeadMiddleware {
 public:
  using Options = RedirectSchemeOptions;
  static Configured<std::shared_ptr<const RedirectScheme>> make(Options options, Making& making);
  explicit RedirectScheme(Options options);

  std::optional<exchange::Response> on_request(exchange::Exchange& x) const override;

 private:
  const std::string scheme_;
  const std::string port_;  // with its colon; empty for the usual one
  const bool permanent_;
  const bool keep_method_;
};

}  // namespace fairlead::middleware

template <>
inline constexpr auto fairlead::schema::options<fairlead::middleware::RedirectSchemeOptions> = table(
    option<&middleware::RedirectSchemeOptions::scheme>("scheme", "Scheme to redirect to.",
                                                       {.check = not_empty}),
    option<&middleware::RedirectSchemeOptions::port>("port", "Port to redirect to."),
    option<&middleware::RedirectSchemeOptions::permanent>("permanent",
                                                          "Answer 301 or 308 instead of 302 or 307."),
    option<&middleware::RedirectSchemeOptions::keep_method>("keepMethod", "Answer GET with 308 or 307 too."));
static_assert(fairlead::schema::complete<fairlead::middleware::RedirectSchemeOptions>());
