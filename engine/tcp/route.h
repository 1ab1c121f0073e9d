#pragma once

#include "engine/tcp/middleware.h"
#include "engine/tcp/service.h"
#include "engine/tls/context.h"

#include <memory>
#include <string>
#include <vector>

namespace fairlead::tcp {

// A TCP router, compiled: what becomes of a connection that it takes. Immutable; a connection keeps the one
// it began with.
struct Route {
  std::string name;               // "db@docker"
  bool passthrough = false;       // TLS goes on unopened
  tls::ServerContextPtr options;  // TLS is terminated with these; null: plain, or passed through
  std::vector<MiddlewarePtr> middlewares;
  std::shared_ptr<const Service> service;
  std::string broken;  // why it cannot be used: its connections are closed; empty: it can

  // Lets a connection pass before anything is done for it; the error says why it is closed instead.
  Result<Holds> admit(const net::Address& client) const;
};
using RoutePtr = std::shared_ptr<const Route>;

}  // namespace fairlead::tcp
