#include "engine/net/bind_address.h"

#include <fmt/format.h>
#include <netdb.h>

#include <cerrno>
#include <cstring>

namespace fairlead::net {
namespace {

BindAddress bind_address(const Address& address) {
  BindAddress out;
  out.size = address.to(out.raw);
  return out;
}

std::string remedy(int error, std::uint16_t port, bool udp) {
  switch (error) {
    case EADDRINUSE:
      return fmt::format("; another program has the port, `ss -l{}np 'sport = :{}'` names it",
                         udp ? 'u' : 't', port);
    case EACCES: return "; ports below net.ipv4.ip_unprivileged_port_start need root or CAP_NET_BIND_SERVICE";
    case EADDRNOTAVAIL: return "; no interface of this machine has that address";
    default: return {};
  }
}

}  // namespace

bool is_looked_up(const ListenAddress& address) { return !address.host.empty() && !Ip::parse(address.host); }

Result<std::vector<BindAddress>> bind_addresses(const ListenAddress& address) {
  if (address.host.empty())
    return std::vector{bind_address({Ip{}, address.port}),
                       bind_address({*Ip::parse("0.0.0.0"), address.port})};
  if (const auto ip = Ip::parse(address.host)) return std::vector{bind_address({*ip, address.port})};
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_PASSIVE;
  addrinfo* found = nullptr;
  const int failed = ::getaddrinfo(address.host.c_str(), nullptr, &hints, &found);
  if (failed)
    return fail(500, Fault::Proxy, fmt::format("listen on {}: {}", text_of(address), ::gai_strerror(failed)));
  BindAddress out;
  out.size = found->ai_addrlen;
  std::memcpy(&out.raw, found->ai_addr, found->ai_addrlen);
  ::freeaddrinfo(found);
  // The scope of a link-local address stays: only the port is added.
  if (out.raw.ss_family == AF_INET6)
    reinterpret_cast<sockaddr_in6&>(out.raw).sin6_port = htons(address.port);
  else
    reinterpret_cast<sockaddr_in&>(out.raw).sin_port = htons(address.port);
  return std::vector{out};
}

bool is_family_missing(int error) { return error == EAFNOSUPPORT || error == EADDRNOTAVAIL; }

std::string text_of(const ListenAddress& address) {
  const bool v6 = address.host.find(':') != std::string::npos;
  return fmt::format("{}{}{}:{}", v6 ? "[" : "", address.host, v6 ? "]" : "", address.port);
}

Error bind_problem(const ListenAddress& address, int error, bool udp) {
  return {500, Fault::Proxy, error == EADDRINUSE,
          fmt::format("listen on {}{}: {}{}", text_of(address), udp ? "/udp" : "", std::strerror(error),
                      remedy(error, address.port, udp))};
}

}  // namespace fairlead::net
