#pragma once

#include "engine/base/result.h"
#include "engine/base/task.h"
#include "engine/event/loop.h"
#include "engine/net/transport.h"
#include "engine/upstream/server.h"

#include <memory>
#include <string>
#include <vector>

namespace fairlead::upstream {

// A plain connection to `to`. Errors: {502, Upstream, retryable} when refused or unreachable, {504, Upstream,
// retryable} when it took longer than `timeout` (zero: as long as the kernel tries).
Task<Result<std::unique_ptr<net::Transport>>> dial(event::Loop& loop, net::Address to, Duration timeout);

// A plain connection to the first of the addresses that answers. `timeout` is for all of them, shared out as
// Go does it. Where both families are among them, the first family has only a moment before the other one is
// tried (RFC 8305): a route that leads nowhere, as of IPv6 often, costs 0.3 s and not the whole timeout.
// Errors as dial(), of the address tried last.
Task<Result<std::unique_ptr<net::Transport>>> dial_first(event::Loop& loop, std::vector<net::Ip> addresses,
                                                         std::uint16_t port, Duration timeout);

// The same to an address whose name is looked up. {502} when it does not resolve. It must outlive the task.
Task<Result<std::unique_ptr<net::Transport>>> dial_address(event::Loop& loop, const ServerAddress& address,
                                                           Duration timeout);

// How long the first of `count` addresses may take when `left` is left for all of them.
Duration share_of_timeout(Duration left, std::size_t count);

// A new connection to an HTTP server, secured where its scheme asks for that.
struct Dialled {
  std::unique_ptr<net::Transport> transport;
  bool http2 = false;  // what is spoken on it
};
// Dials as dial_address() does. `header` is sent before anything else; `http1`: never HTTP/2. Errors as
// dial_address() and secure_http(). Address and options must outlive the task.
Task<Result<Dialled>> dial_server(event::Loop& loop, const ServerAddress& address,
                                  const TransportOptions& options, bool http1, std::string header = {});

}  // namespace fairlead::upstream
