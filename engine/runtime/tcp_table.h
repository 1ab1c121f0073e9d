#pragma once

#include "engine/routing/tcp_router.h"
#include "engine/tcp/route.h"

#include <vector>

namespace fairlead::runtime {

// What one entry point does with connections before any HTTP: the router's indices point into the lists.
struct TcpTable {
  routing::TcpRouter router;
  std::vector<tcp::RoutePtr> plain;
  std::vector<tcp::RoutePtr> tls;
};

}  // namespace fairlead::runtime
