#pragma once

#include "engine/exchange/middleware.h"
#include "engine/middleware/ip_strategy.h"
#include "engine/middleware/registry.h"
#include "engine/schema/option.h"

#include <optional>
#include <string>
#include <vector>

namespace fairlead::middleware {

struct MaintenanceOptions {
  bool enabled = true;
  std::string message;
  schema::Duration retry_after = std::chrono::minutes(5);
  std::vector<std::string> source_range{};
  std::optional<IpStrategyOptions> ip_strategy{};
};

// Answers 503 with a page that says so, but lets some addresses through: those who do the work.
class Maintenance final : public exchange::HeadMiddleware {
 public:
  using Options = MaintenanceOptions;
  static Configured<std::shared_ptr<const Maintenance>> make(Options options, Making& making);
  Maintenance(Options options, IpSet allowed, IpStrategy strategy);

  std::optional<exchange::Response> on_request(exchange::Exchange& x) const override;

 private:
  const bool enabled_;
  const std::string message_;
  const std::string retry_after_;  // seconds; empty: not said
  const IpSet allowed_;
  const IpStrategy strategy_;
};

}  // namespace fairlead::middleware

template <>
inline constexpr auto fairlead::schema::options<fairlead::middleware::MaintenanceOptions> =
    table(option<&middleware::MaintenanceOptions::enabled>("enabled", "false: let everybody through.",
                                                           {.always = true}),
          option<&middleware::MaintenanceOptions::message>("message", "Sentence on the page."),
          option<&middleware::MaintenanceOptions::retry_after>(
              "retryAfter", "When clients may try again (Retry-After); 0 does not say.",
              {.check = duration_not_negative}),
          option<&middleware::MaintenanceOptions::source_range>(
              "sourceRange", "Addresses and ranges that may pass nevertheless."),
          option<&middleware::MaintenanceOptions::ip_strategy>(
              "ipStrategy", "Which address counts behind proxies.", {.allow_empty = true}));
static_assert(fairlead::schema::complete<fairlead::middleware::MaintenanceOptions>());
