#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace fairlead::routing {

// The address at the other end of the connection, as rules see it: 16 bytes, IPv4 as ::ffff:a.b.c.d, so that
// a client of a dual-stack socket is the same client. Default: not known (a Unix socket), inside no network.
struct ClientAddress {
  std::array<std::uint8_t, 16> bytes{};
  bool known = false;

  static ClientAddress v4(const std::array<std::uint8_t, 4>& address);
  static ClientAddress v6(const std::array<std::uint8_t, 16>& address) { return {address, true}; }
  // "192.0.2.7", "2001:db8::1"; nothing for anything else (no brackets, port or zone).
  static std::optional<ClientAddress> parse(std::string_view text);

  bool is_v4() const;
};

// "192.0.2.7", "::1", "unknown".
std::string text(const ClientAddress& address);

// A block of addresses: "10.0.0.0/8", "2001:db8::/32", or one address.
class Network {
 public:
  static std::optional<Network> parse(std::string_view text);

  // An IPv6 block never holds an IPv4 client, not even ::/0, as in Go's net package.
  bool contains(const ClientAddress& client) const;

 private:
  ClientAddress base_;            // bits behind the prefix are zero
  std::uint8_t prefix_bits_ = 0;  // 0…128, counted in the 16-byte form
};

}  // namespace fairlead::routing
