#pragma once

#include "engine/middleware/ip_strategy.h"
#include "engine/schema/option.h"
#include "engine/tcp/middleware.h"

#include <memory>
#include <string>
#include <vector>

namespace fairlead::tcp {

struct Making;

struct IpAllowListOptions {
  std::vector<std::string> source_range{};
};

// Lets only clients of some addresses connect; the others are closed.
class IpAllowList final : public Middleware {
 public:
  using Options = IpAllowListOptions;
  static Configured<std::shared_ptr<const IpAllowList>> make(const Options& options, Making& making);
  explicit IpAllowList(middleware::IpSet allowed) : allowed_(std::move(allowed)) {}

  Result<> admit(std::string_view router, const net::Address& client, Holds& holds) const override;

 private:
  const middleware::IpSet allowed_;
};

// The same under its old name.
struct IpWhiteList {
  using Options = IpAllowListOptions;
  static Configured<std::shared_ptr<const IpAllowList>> make(const Options& options, Making& making);
};

}  // namespace fairlead::tcp

template <>
inline constexpr auto fairlead::schema::options<fairlead::tcp::IpAllowListOptions> =
    table(option<&tcp::IpAllowListOptions::source_range>(
        "sourceRange", "Addresses and ranges that may connect.", {.tier = Tier::T2}));
static_assert(fairlead::schema::complete<fairlead::tcp::IpAllowListOptions>());
