#include "engine/middleware/ip_strategy.h"

#include "engine/base/strings.h"

#include <fmt/format.h>

#include <algorithm>

namespace fairlead::middleware {
namespace {

constexpr int kMappedBits = 96;  // RFC 4291 §2.5.5.2

// An entry of X-Forwarded-For as other proxies write it, as Traefik takes it: "10.0.0.1:80", "[fe80::1]:80",
// "fe80::1%eth0".
std::optional<net::Ip> address_of(std::string_view entry) {
  if (entry.starts_with('['))
    entry = entry.substr(1, entry.find(']') - 1);
  else if (const std::size_t colon = entry.find(':'); colon != entry.npos && colon == entry.rfind(':'))
    entry = entry.substr(0, colon);
  return net::Ip::parse(entry.substr(0, entry.find('%')));
}

bool holds_v4(const net::Cidr& range) { return range.prefix >= kMappedBits && range.base.is_v4(); }

}  // namespace

Configured<IpSet> IpSet::make(std::string_view option, const std::vector<std::string>& ranges) {
  IpSet set;
  for (const std::string& text : ranges) {
    const auto range = net::Cidr::parse(trim(text));
    if (!range)
      return misconfigured(std::string(option),
                           fmt::format("{} is no address and no range such as 10.0.0.0/8", quoted(text)));
    set.ranges_.push_back(*range);
  }
  return set;
}

bool IpSet::contains(const net::Ip& ip) const {
  const bool is_v4 = ip.is_v4();
  return std::ranges::any_of(
      ranges_, [&](const net::Cidr& range) { return holds_v4(range) == is_v4 && range.contains(ip); });
}

Configured<IpStrategy> IpStrategy::make(const IpStrategyOptions& options, std::string_view path) {
  const auto name = [&](std::string_view option) {
    return path.empty() ? std::string(option) : fmt::format("{}.{}", path, option);
  };
  IpStrategy strategy;
  if (options.depth < 0) return misconfigured(name("depth"), "must not be negative");
  strategy.depth_ = options.depth;
  auto excluded = IpSet::make(name("excludedIPs"), options.excluded_ips);
  if (!excluded) return std::unexpected(excluded.error());
  strategy.excludes_ = options.depth == 0 && !excluded->empty();
  strategy.excluded_ = std::move(*excluded);
  if (options.ipv6_subnet) {
    if (*options.ipv6_subnet < 1 || *options.ipv6_subnet > 128)
      return misconfigured(name("ipv6Subnet"), "must be 1 to 128");
    if (!strategy.excludes_) strategy.ipv6_bits_ = *options.ipv6_subnet;
  }
  return strategy;
}

// Nothing: the peer counts.
std::optional<std::string_view> IpStrategy::forwarded(exchange::Exchange& x) const {
  if (depth_ == 0 && !excludes_) return std::nullopt;
  std::string_view rest = x.request.fields.joined("X-Forwarded-For");
  bool more = !rest.empty();
  for (int position = 1; more; ++position) {
    const std::size_t comma = rest.rfind(',');
    const std::string_view last = trim(comma == rest.npos ? rest : rest.substr(comma + 1));
    more = comma != rest.npos;
    rest = rest.substr(0, more ? comma : 0);
    if (!excludes_) {
      if (position == depth_) return last;
      continue;
    }
    if (last.empty()) continue;
    const auto ip = net::Ip::parse(last);
    if (!ip || !excluded_.contains(*ip)) return last;
  }
  return std::string_view{};
}

net::Ip IpStrategy::masked(net::Ip ip) const {
  if (ipv6_bits_ == 128 || ip.is_v4()) return ip;
  for (int i = 0; i < 16; ++i) {
    const int bits = std::clamp(ipv6_bits_ - i * 8, 0, 8);
    ip.bytes[static_cast<std::size_t>(i)] &= static_cast<std::uint8_t>(0xff00 >> bits);
  }
  return ip;
}

std::optional<net::Ip> IpStrategy::ip(exchange::Exchange& x) const {
  const auto text = forwarded(x);
  if (!text) return masked(x.client.ip);
  const auto ip = address_of(*text);
  if (!ip) return std::nullopt;
  return masked(*ip);
}

std::string_view IpStrategy::text(exchange::Exchange& x) const {
  const auto text = forwarded(x);
  if (!text && ipv6_bits_ == 128 && !x.client_ip.empty()) return x.client_ip;
  if (!text) return x.arena().copy(masked(x.client.ip).text());
  const auto ip = ipv6_bits_ == 128 ? std::nullopt : net::Ip::parse(*text);
  return ip ? x.arena().copy(masked(*ip).text()) : *text;
}

}  // namespace fairlead::middleware
