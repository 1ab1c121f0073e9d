#pragma once

#include "engine/exchange/middleware.h"
#include "engine/middleware/ip_strategy.h"
#include "engine/middleware/registry.h"
#include "engine/schema/option.h"

#include <optional>
#include <string>
#include <vector>

namespace fairlead::middleware {

struct IpAllowListOptions {
  std::vector<std::string> source_range{};
  std::optional<IpStrategyOptions> ip_strategy{};
  int reject_status_code = 403;
};

// Lets only clients of some addresses pass. A source that is no address is refused.
class IpAllowList final : public exchange::HeadMiddleware {
 public:
  using Options = IpAllowListOptions;
  static Configured<std::shared_ptr<const IpAllowList>> make(const Options& options, Making& making);
  IpAllowList(IpSet allowed, IpStrategy strategy, int reject_status)
      : allowed_(std::move(allowed)), strategy_(std::move(strategy)), reject_status_(reject_status) {}

  std::optional<exchange::Response> on_request(exchange::Exchange& x) const override;

 private:
  const IpSet allowed_;
  const IpStrategy strategy_;
  const int reject_status_;
};

struct IpWhiteListOptions {
  std::vector<std::string> source_range{};
  std::optional<IpStrategyOptions> ip_strategy{};
};

// The same under its old name, which has no status to choose.
struct IpWhiteList {
  using Options = IpWhiteListOptions;
  static Configured<std::shared_ptr<const IpAllowList>> make(const Options& options, Making& making);
};

}  // namespace fairlead::middleware

template <>
inline constexpr auto fairlead::schema::options<fairlead::middleware::IpAllowListOptions> =
    table(option<&middleware::IpAllowListOptions::source_range>("sourceRange",
                                                                "Addresses and ranges that may pass."),
          option<&middleware::IpAllowListOptions::ip_strategy>(
              "ipStrategy", "Which address counts behind proxies.", {.allow_empty = true}),
          option<&middleware::IpAllowListOptions::reject_status_code>(
              "rejectStatusCode", "Status for everybody else.", {.tier = Tier::T2}));
static_assert(fairlead::schema::complete<fairlead::middleware::IpAllowListOptions>());

template <>
inline constexpr auto fairlead::schema::options<fairlead::middleware::IpWhiteListOptions> =
    table(option<&middleware::IpWhiteListOptions::source_range>(
              "sourceRange", "Addresses and ranges that may pass.", {.tier = Tier::T2}),
          option<&middleware::IpWhiteListOptions::ip_strategy>(
              "ipStrategy", "Which address counts behind proxies.", {.allow_empty = true, .tier = Tier::T2}));
static_assert(fairlead::schema::complete<fairlead::middleware::IpWhiteListOptions>());
