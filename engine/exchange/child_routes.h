#pragma once

#include "engine/exchange/route_table.h"
#include "engine/exchange/service.h"

namespace fairlead::exchange {

// What a router leads to that other routers refine (parentRefs): after its middlewares, the first child that
// matches the request, as they left it, takes it. No child: 404.
class ChildRoutes final : public Service {
 public:
  explicit ChildRoutes(RouteTable table) : table_(std::move(table)) {}

  Task<Response> serve(Exchange& x) const override;

 private:
  Task<Response> follow(Exchange& x, const Route& route) const;

  RouteTable table_;
};

}  // namespace fairlead::exchange
