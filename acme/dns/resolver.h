#pragma once

#include "acme/dns/message.h"
#include "engine/base/clock.h"
#include "engine/base/result.h"

#include <stop_token>
#include <string>
#include <utility>
#include <vector>

namespace fairlead::acme::dns {

inline constexpr Duration kAskTimeout = std::chrono::seconds(5);  // of one server

// One question to one server ("192.0.2.1:53", "[2001:db8::1]:53"); blocks. Any answer is a result, whatever
// its code says. `recursive`: the server may ask others on our behalf.
Result<Message> ask_server(const std::string& server, const std::string& name, Type type, bool recursive,
                           std::stop_token stop = {}, Duration timeout = kAskTimeout);

// Recursive name servers, asked in turn until one knows. Blocks: for control threads.
class Resolver {
 public:
  // `servers`: host or host:port, port 53 when it has none; none: those of the system.
  explicit Resolver(const std::vector<std::string>& servers, std::stop_token stop = {});

  // The first answer that is NOERROR or NXDOMAIN; the error says what every server answered.
  Result<Message> ask(const std::string& name, Type type) const;
  // "192.0.2.1:53" each; empty when no name of `servers` could be resolved.
  const std::vector<std::string>& servers() const { return servers_; }

  // Where the aliases of `name` end (RFC 1034 §3.6.2); itself when it has none.
  Result<std::string> follow_aliases(const std::string& name) const;
  // The zone that `name` is in, without the dot at the end.
  Result<std::string> find_zone(const std::string& name) const;
  // Addresses of a host, without port.
  std::vector<std::string> addresses(const std::string& host) const;

 private:
  std::vector<std::string> servers_;
  std::stop_token stop_;
};

// "192.0.2.1:53", "[2001:db8::1]:53".
std::string endpoint(const std::string& address, std::uint16_t port);
// Host and port of "host", "host:port", "[v6]:port" or a bare IPv6 address; `port` when it names none.
std::pair<std::string, std::string> host_and_port(const std::string& text, const std::string& port);

}  // namespace fairlead::acme::dns
