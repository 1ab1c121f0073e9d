#pragma once

#include "engine/exchange/service.h"
#include "engine/http/canonical.h"
#include "engine/routing/http_router.h"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace fairlead::exchange {

// A router, compiled: where a matching request goes. What many routers have in common is shared.
struct Route {
  std::string name;                                        // "web@docker"
  std::string service_name;                                // "shop@docker"
  std::shared_ptr<const Service> handler;                  // the middlewares, then the service
  std::shared_ptr<const http::EncodedCharacters> encoded;  // escapes that are refused; null: none
  // Of routers that came from the default rule: their number in X-Traefik-Router, which a request that
  // already passed this router carries (a container that proxies to us would go round for ever).
  std::string loop_token;
  bool log = true;
  bool metrics = true;
  bool traces = true;
  bool detailed_traces = false;
  bool internal = false;  // ping, api, redirections
};

// The routers of one entry point that see plain, or TLS, requests.
struct RouteTable {
  routing::HttpRouter router;
  std::vector<Route> routes;  // the router's indices point here

  const Route* find(const http::RequestHead& head, const routing::MatchContext& context) const {
    const auto index = router.match(head, context);
    return index ? &routes[*index] : nullptr;
  }
};

}  // namespace fairlead::exchange
