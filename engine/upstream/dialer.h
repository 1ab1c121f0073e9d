#pragma once

#include "engine/base/result.h"
#include "engine/base/task.h"
#include "engine/event/loop.h"
#include "engine/net/transport.h"
#include "engine/upstream/server.h"

#include <memory>
#include <string>

namespace fairlead::upstream {

// A plain connection to `to`. Errors: {502, Upstream, retryable} when refused or unreachable, {504, Upstream,
// retryable} when it took longer than `timeout` (zero: as long as the kernel tries).
Task<Result<std::unique_ptr<net::Transport>>> dial(event::Loop& loop, net::Address to, Duration timeout);

// A new connection to an HTTP server, secured where its scheme asks for that.
struct Dialled {
  std::unique_ptr<net::Transport> transport;
  bool http2 = false;  // what is spoken on it
};
// Looks the name up and tries its addresses in turn. `header` is sent before anything else; `http1`: never
// HTTP/2. Errors as dial() and secure_http(); {502} when the name does not resolve. Address and options must
// outlive the task.
Task<Result<Dialled>> dial_server(event::Loop& loop, const ServerAddress& address,
                                  const TransportOptions& options, bool http1, std::string header = {});

}  // namespace fairlead::upstream
