#pragma once

#include "engine/exchange/response.h"
#include "engine/exchange/route_table.h"
#include "engine/http/canonical.h"
#include "engine/net/address.h"
#include "engine/observe/trace.h"
#include "engine/tls/host_table.h"

#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace fairlead::exchange {

// Header names with '_': an origin may take them for '-'.
enum class UnderscoreHeaders : unsigned char { Keep, Delete, Reject };

struct ForwardedHeaders {
  bool insecure = false;  // trust everybody
  std::vector<net::Cidr> trusted;
  std::vector<std::string> connection;  // named in Connection, yet kept for the middlewares
  bool not_append_for = false;
  bool add_scheme = false;  // X-Forwarded-Scheme and X-Scheme too
};

// What an entry point does with every request; part of a snapshot.
struct EntryPoint {
  std::string name;
  std::string server_name;  // X-Forwarded-Server: our host name
  http::PathRules paths;
  UnderscoreHeaders underscores = UnderscoreHeaders::Keep;
  ForwardedHeaders forwarded;
  ReasonsPolicy reasons;
  RouteTable plain;                                 // routers without tls
  RouteTable secure;                                // routers with tls
  std::shared_ptr<const tls::HostTable> tls_hosts;  // which TLS options a name has; null: no TLS here
  bool access_log = true;                           // of requests that no router matched
  bool metrics = true;                              // likewise
  bool traces = true;                               // the same
  std::shared_ptr<const observe::Tracer> tracer;    // null: nothing is traced
};

}  // namespace fairlead::exchange
