#pragma once

#include <netinet/in.h>
#include <sys/socket.h>

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace fairlead::net {

// An IPv4 or IPv6 address in one form: IPv4-mapped IPv6 is IPv4 (CVE-2024-24790: an allow-list must not see
// two spellings of one address).
struct Ip {
  std::array<std::uint8_t, 16> bytes{};  // IPv4 as ::ffff:a.b.c.d
  bool is_v4() const;
  std::string text() const;
  // Plain addresses only: no zone, no port, no brackets.
  static std::optional<Ip> parse(std::string_view text);
  auto operator<=>(const Ip&) const = default;
};

// "10.0.0.0/8", "::1", "192.168.1.7": a range of addresses of one family. "::ffff:0:0/96" is IPv4.
struct Cidr {
  Ip base;
  int prefix = 128;  // bits of the 128-bit form
  bool contains(const Ip& ip) const;
  static std::optional<Cidr> parse(std::string_view text);
  bool operator==(const Cidr&) const = default;
};

bool contains(const std::vector<Cidr>& ranges, const Ip& ip);

// Address and port of one end of a connection.
struct Address {
  Ip ip;
  std::uint16_t port = 0;

  std::string text() const;  // "1.2.3.4:80", "[::1]:80"
  static Address from(const sockaddr_storage& raw);
  // As the kernel wants it; the length of what was written.
  socklen_t to(sockaddr_storage& raw) const;
  bool operator==(const Address&) const = default;
};

// "[host]:port" of an entry point. An empty host listens on every address, IPv4 and IPv6.
struct ListenAddress {
  std::string host;
  std::uint16_t port = 0;
};
std::optional<ListenAddress> parse_listen_address(std::string_view text);

}  // namespace fairlead::net
