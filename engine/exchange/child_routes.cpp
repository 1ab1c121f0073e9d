#include "engine/exchange/child_routes.h"

#include "engine/exchange/loop_guard.h"

namespace fairlead::exchange {

Task<Response> ChildRoutes::serve(Exchange& x) const {
  thread_local routing::Scratch scratch;  // used during the match only
  const routing::MatchContext context{routing::ClientAddress{x.client.ip.bytes, true}, scratch};
  const Route* found = table_.find(x.request, context);
  if (!found) return Task<Response>::ready(answer(x, 404, "404 page not found\n"));
  if (auto looped = refuse_loop(x, *found)) return Task<Response>::ready(failure(x, std::move(*looped)));
  return follow(x, *found);
}

Task<Response> ChildRoutes::follow(Exchange& x, const Route& route) const {
  // A middleware of the parent may come here again: its name is put back.
  const std::string_view parents = x.router_name;
  x.router_name = x.arena().join(parents, " -> ", route.name);
  x.record.router = route.name;
  x.record.router_path = x.router_name;
  x.record.router_service = x.record.service = route.service_name;
  Response response = co_await route.handler->serve(x);
  x.router_name = parents;
  co_return response;
}

}  // namespace fairlead::exchange
