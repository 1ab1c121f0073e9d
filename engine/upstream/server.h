#pragma once

#include "engine/base/clock.h"
#include "engine/base/result.h"
#include "engine/net/address.h"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace fairlead::tls {
class ClientContext;
}

namespace fairlead::upstream {

enum class Scheme : unsigned char { Http, Https, H2c };

// Where a server is: its URL taken apart, once, when the configuration is compiled.
struct ServerAddress {
  std::string url;  // as configured: "http://10.0.0.2:80"
  Scheme scheme = Scheme::Http;
  std::string host;  // without brackets
  std::uint16_t port = 80;
  std::string path;       // "" or "/base", used with preservePath
  std::string host_port;  // "10.0.0.2:80", "[::1]:80": for the access log and as Host without passHostHeader
  std::optional<net::Ip> ip;  // when the host is an address: no name look-up

  static Configured<ServerAddress> parse(std::string_view url);
};

// How connections to a server are made: a serversTransport, compiled. Durations of zero mean no limit.
struct TransportOptions {
  std::string name;       // "default@internal"
  std::uint64_t key = 0;  // hash of everything below: pools are shared while it is equal
  Duration dial_timeout = std::chrono::seconds(30);
  Duration response_header_timeout{};
  Duration idle_timeout = std::chrono::seconds(90);
  bool http2 = true;             // offered to https servers
  Duration read_idle_timeout{};  // HTTP/2: silence after which a PING is sent
  Duration ping_timeout = std::chrono::seconds(15);
  int proxy_version = 0;        // of the PROXY header before anything else; 0: none
  int max_idle_per_host = 200;  // per server and worker; negative: connections are not reused
  std::shared_ptr<const tls::ClientContext> tls =
      nullptr;  // toward https servers; null: the system's authorities
};

}  // namespace fairlead::upstream
