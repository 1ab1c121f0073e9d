#pragma once

#include "engine/net/address.h"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace fairlead::net {

// The two ends of a connection, as the proxy before us saw them.
struct ProxiedEnds {
  Address source;
  Address destination;
};

enum class ProxyStatus : std::uint8_t {
  NeedMore,   // what is there may become a header
  Absent,     // what is there is something else
  Malformed,  // begins as a header and is none: the connection must be closed
  Parsed,
};

struct ProxyResult {
  ProxyStatus status = ProxyStatus::NeedMore;
  std::size_t size = 0;  // bytes of the header, TLVs included; of Parsed
  // Of Parsed. Absent when the header names no TCP ends (LOCAL, UNKNOWN, UNIX sockets, datagrams): the
  // connection's own count then.
  std::optional<ProxiedEnds> ends{};
  std::string_view why{};  // of Malformed
};

// A longer header is refused. Version 1 has at most 107 bytes; version 2 may carry TLVs (the client's
// certificate, names of cloud endpoints), for which this leaves plenty.
inline constexpr std::size_t kMaxProxyHeaderBytes = 4096;

// Reads the PROXY protocol header, version 1 or 2, at the beginning of `bytes`, which may be cut anywhere:
// more bytes never turn a decision back. Nothing is consumed. (haproxy.org, proxy-protocol.txt §2)
ProxyResult parse_proxy_header(std::string_view bytes);

// The header that tells a server who the client is; `version` is 1 or 2.
std::string proxy_header(int version, const Address& source, const Address& destination);
// The header of a connection that we make on our own behalf: a health check.
std::string own_proxy_header(int version);

}  // namespace fairlead::net
