#pragma once

#include "engine/base/result.h"
#include "engine/base/task.h"
#include "engine/event/loop.h"
#include "engine/net/transport.h"
#include "engine/tls/client_context.h"

#include <memory>
#include <string>

namespace fairlead::upstream {

// TLS over a connection to `host`, verified as `context` says. Errors: {500, Upstream} when the server cannot
// be verified or speaks no TLS, {502, Upstream, retryable} when the connection was lost meanwhile, {504,
// Upstream, retryable} after 10 s.
Task<Result<std::unique_ptr<net::Transport>>> secure(event::Loop& loop,
                                                     std::unique_ptr<net::Transport> transport,
                                                     std::shared_ptr<const tls::ClientContext> context,
                                                     std::string host);

// The same with ALPN (RFC 7301): HTTP/2 first where `offer_http2`, HTTP/1.1 else; `http2` says what the
// server chose.
struct SecureHttp {
  std::unique_ptr<net::Transport> transport;
  bool http2 = false;
};
Task<Result<SecureHttp>> secure_http(event::Loop& loop, std::unique_ptr<net::Transport> transport,
                                     std::shared_ptr<const tls::ClientContext> context, std::string host,
                                     bool offer_http2);

// For servers without options of their own: verified by the system's authorities.
Result<std::shared_ptr<const tls::ClientContext>> default_client_context();

}  // namespace fairlead::upstream
