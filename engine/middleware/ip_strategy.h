#pragma once

#include "engine/base/result.h"
#include "engine/exchange/exchange.h"
#include "engine/net/address.h"
#include "engine/schema/option.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace fairlead::middleware {

struct IpStrategyOptions {
  int depth = 0;
  std::vector<std::string> excluded_ips{};
  std::optional<int> ipv6_subnet{};
};

// Address ranges as Go's net package compares them: an IPv6 range never holds an IPv4 address, not even ::/0.
class IpSet {
 public:
  // Errors name the option and the element.
  static Configured<IpSet> make(std::string_view option, const std::vector<std::string>& ranges);

  bool contains(const net::Ip& ip) const;
  bool empty() const { return ranges_.empty(); }

 private:
  std::vector<net::Cidr> ranges_;
};

// Which address a request comes from, where proxies stand in between. X-Forwarded-For has what the entry
// point let through: the peer itself is not in it.
class IpStrategy {
 public:
  // `path`: of the option, in front of the names in errors ("ipStrategy").
  static Configured<IpStrategy> make(const IpStrategyOptions& options, std::string_view path);
  IpStrategy() = default;  // the peer's address

  // The text found, which need not be an address; empty when there is none. Lives as long as the exchange.
  std::string_view text(exchange::Exchange& x) const;
  // The same as an address; nothing when the text is none.
  std::optional<net::Ip> ip(exchange::Exchange& x) const;

 private:
  std::optional<std::string_view> forwarded(exchange::Exchange& x) const;
  net::Ip masked(net::Ip ip) const;

  int depth_ = 0;
  bool excludes_ = false;
  IpSet excluded_;
  int ipv6_bits_ = 128;
};

}  // namespace fairlead::middleware

template <>
inline constexpr auto fairlead::schema::options<fairlead::middleware::IpStrategyOptions> =
    table(option<&middleware::IpStrategyOptions::depth>(
              "depth", "Take that address of X-Forwarded-For, counted from the right; 0 takes the peer's.",
              {.check = not_negative}),
          option<&middleware::IpStrategyOptions::excluded_ips>(
              "excludedIPs", "Take the rightmost address of X-Forwarded-For that is none of these."),
          option<&middleware::IpStrategyOptions::ipv6_subnet>(
              "ipv6Subnet", "Count IPv6 addresses that share this many leading bits as one (1 to 128)."));
static_assert(fairlead::schema::complete<fairlead::middleware::IpStrategyOptions>());
