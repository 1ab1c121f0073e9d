#include "engine/net/address.h"

#include "engine/base/strings.h"

#include <arpa/inet.h>
#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cstring>

namespace fairlead::net {
namespace {
constexpr std::array<std::uint8_t, 12> kMapped = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
}

bool Ip::is_v4() const { return std::equal(kMapped.begin(), kMapped.end(), bytes.begin()); }

std::string Ip::text() const {
  std::array<char, INET6_ADDRSTRLEN> out{};
  if (is_v4()) {
    // Once per connection: inet_ntop() does it by sprintf().
    char* at = out.data();
    for (std::size_t i = 12; i < 16; ++i) {
      at = std::to_chars(at, out.data() + out.size(), bytes[i]).ptr;
      *at++ = '.';
    }
    return {out.data(), at - 1};
  }
  ::inet_ntop(AF_INET6, bytes.data(), out.data(), out.size());
  return out.data();
}

std::optional<Ip> Ip::parse(std::string_view text) {
  if (text.size() >= INET6_ADDRSTRLEN) return std::nullopt;
  const std::string terminated(text);
  Ip ip;
  if (::inet_pton(AF_INET6, terminated.c_str(), ip.bytes.data()) == 1) return ip;
  std::copy(kMapped.begin(), kMapped.end(), ip.bytes.begin());
  if (::inet_pton(AF_INET, terminated.c_str(), ip.bytes.data() + 12) == 1) return ip;
  return std::nullopt;
}

bool Cidr::contains(const Ip& ip) const {
  // "::/0" means every IPv6 address and no IPv4 one, although those lie in ::ffff:0:0/96 here.
  if (ip.is_v4() != (prefix >= 96 && base.is_v4())) return false;
  const auto whole = static_cast<std::size_t>(prefix / 8);
  if (std::memcmp(ip.bytes.data(), base.bytes.data(), whole) != 0) return false;
  const int rest = prefix % 8;
  if (rest == 0) return true;
  const auto mask = static_cast<std::uint8_t>(0xff << (8 - rest));
  return (ip.bytes[whole] & mask) == (base.bytes[whole] & mask);
}

std::optional<Cidr> Cidr::parse(std::string_view text) {
  const auto slash = text.find('/');
  const auto ip = Ip::parse(text.substr(0, slash));
  if (!ip) return std::nullopt;
  Cidr cidr{*ip, 128};
  if (slash == std::string_view::npos) return cidr;
  const auto bits = parse_digits(text.substr(slash + 1));
  const bool is_v4_text = text.substr(0, slash).find(':') == std::string_view::npos;
  if (!bits || *bits > (is_v4_text ? 32u : 128u)) return std::nullopt;
  cidr.prefix = static_cast<int>(*bits) + (is_v4_text ? 96 : 0);
  return cidr;
}

bool contains(const std::vector<Cidr>& ranges, const Ip& ip) {
  return std::ranges::any_of(ranges, [&](const Cidr& range) { return range.contains(ip); });
}

std::string Address::text() const {
  return ip.is_v4() ? fmt::format("{}:{}", ip.text(), port) : fmt::format("[{}]:{}", ip.text(), port);
}

Address Address::from(const sockaddr_storage& raw) {
  Address address;
  if (raw.ss_family == AF_INET) {
    const auto& v4 = reinterpret_cast<const sockaddr_in&>(raw);
    std::copy(kMapped.begin(), kMapped.end(), address.ip.bytes.begin());
    std::memcpy(address.ip.bytes.data() + 12, &v4.sin_addr, 4);
    address.port = ntohs(v4.sin_port);
  } else if (raw.ss_family == AF_INET6) {
    const auto& v6 = reinterpret_cast<const sockaddr_in6&>(raw);
    std::memcpy(address.ip.bytes.data(), &v6.sin6_addr, 16);
    address.port = ntohs(v6.sin6_port);
  }
  return address;
}

socklen_t Address::to(sockaddr_storage& raw) const {
  raw = {};
  if (ip.is_v4()) {
    auto& v4 = reinterpret_cast<sockaddr_in&>(raw);
    v4.sin_family = AF_INET;
    v4.sin_port = htons(port);
    std::memcpy(&v4.sin_addr, ip.bytes.data() + 12, 4);
    return sizeof v4;
  }
  auto& v6 = reinterpret_cast<sockaddr_in6&>(raw);
  v6.sin6_family = AF_INET6;
  v6.sin6_port = htons(port);
  std::memcpy(&v6.sin6_addr, ip.bytes.data(), 16);
  return sizeof v6;
}

std::optional<ListenAddress> parse_listen_address(std::string_view text) {
  const auto colon = text.rfind(':');
  if (colon == std::string_view::npos) return std::nullopt;
  const auto port = parse_digits(text.substr(colon + 1));
  if (!port || *port > 65535) return std::nullopt;
  std::string_view host = text.substr(0, colon);
  if (host.starts_with('[') && host.ends_with(']'))
    host = host.substr(1, host.size() - 2);
  else if (host.find(':') != std::string_view::npos)
    return std::nullopt;
  return ListenAddress{std::string(host), static_cast<std::uint16_t>(*port)};
}

}  // namespace fairlead::net
