#pragma once

#include "engine/net/udp_socket.h"

#include <cstddef>
#include <cstdint>
#include <functional>

namespace fairlead::udp {

// What makes a session: both ends as the client sees them.
struct SessionKey {
  net::Ip client;
  net::Ip own;  // all zero where the socket has one address only
  std::uint32_t scope = 0;
  std::uint16_t port = 0;

  explicit SessionKey(const net::DatagramEnd& end);
  bool operator==(const SessionKey&) const = default;
};

// Whom the share of one client is counted for: an IPv4 address, or the /64 that one IPv6 host has to itself.
net::Ip source_of(const net::Ip& client);

// Keyed by random numbers of this process, since clients choose their addresses and ports and could fill one
// bucket on purpose.
struct KeyedHash {
  std::size_t operator()(const SessionKey& key) const;
  std::size_t operator()(const net::Ip& ip) const;
};

}  // namespace fairlead::udp
