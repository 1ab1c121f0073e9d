#pragma once

#include "engine/tcp/service.h"
#include "engine/tls/client_context.h"
#include "engine/upstream/server.h"

#include <cstdint>
#include <memory>
#include <string>

namespace fairlead::tcp {

// How connections to servers are made: a TCP serversTransport, compiled.
struct TransportOptions {
  std::uint64_t key = 0;                             // hash of everything below and of the files it names
  std::string name;                                  // "default@internal"
  Duration dial_timeout = std::chrono::seconds(30);  // zero: as long as the kernel tries
  Duration keep_alive = std::chrono::seconds(15);    // between probes; negative: off
  Duration termination_delay = std::chrono::milliseconds(100);  // negative: for ever
  int proxy_protocol = 0;                         // version of the header that announces the client; 0: none
  std::shared_ptr<const tls::ClientContext> tls;  // toward servers with `tls`
  std::string tls_problem;                        // why there is no `tls`
};

// What the first bytes of a connection tell the server about its client.
std::string announcement(const TransportOptions& options, const net::Transport& client);

// A connection to `address`, with TLS when `secure`, after `header` was sent in the clear. Errors as those of
// upstream::dial() and upstream::secure(); {502} when the name does not resolve.
Task<Result<std::unique_ptr<net::Transport>>> connect(event::Loop& loop,
                                                      const upstream::ServerAddress& address, bool secure,
                                                      const TransportOptions& options, std::string header);

}  // namespace fairlead::tcp
