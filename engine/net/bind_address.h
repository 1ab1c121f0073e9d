#pragma once

#include "engine/base/result.h"
#include "engine/net/address.h"

#include <sys/socket.h>

#include <string>
#include <vector>

namespace fairlead::net {

// An address as bind(2) wants it.
struct BindAddress {
  sockaddr_storage raw{};
  socklen_t size = 0;

  const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&raw); }
};

// Whether the host is a name, which bind_addresses() looks up.
bool is_looked_up(const ListenAddress& address);

// Where to bind for an entry point, in the order to try: an empty host is every address of both families, or
// of IPv4 where the machine has no IPv6. A host name is looked up, which may block.
Result<std::vector<BindAddress>> bind_addresses(const ListenAddress& address);

// Whether that errno means a machine without this family: only then the next address is tried, since a port
// taken for IPv6 alone must not leave us with IPv4 alone, silently.
bool is_family_missing(int error);

// ":80", "127.0.0.1:80", "[::1]:80".
std::string text_of(const ListenAddress& address);

// "listen on :80: Address already in use: another program has the port …": with the remedy, where there is
// a usual one. Retryable: whoever has the port may leave it.
Error bind_problem(const ListenAddress& address, int error, bool udp);

}  // namespace fairlead::net
