#pragma once

#include "engine/exchange/exchange.h"
#include "engine/exchange/route_table.h"

#include <optional>

namespace fairlead::exchange {

// Of routers that came from the default rule: marks the request, and says what is wrong with one that carries
// the mark already, because a container sent it back to us.
inline std::optional<Error> refuse_loop(Exchange& x, const Route& route) {
  constexpr std::string_view kHeader = "X-Traefik-Router";
  if (route.loop_token.empty()) return std::nullopt;
  if (x.request.fields.get(kHeader) == route.loop_token)
    return Error{400, Fault::Client, false,
                 "the request went through this router before: a container sends it back"};
  x.request.fields.set(kHeader, route.loop_token);
  return std::nullopt;
}

}  // namespace fairlead::exchange
