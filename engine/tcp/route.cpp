#include "engine/tcp/route.h"

namespace fairlead::tcp {

Result<Holds> Route::admit(const net::Address& client) const {
  if (!broken.empty()) return fail(503, Fault::Proxy, broken);
  Holds holds;
  for (const MiddlewarePtr& middleware : middlewares)
    if (Result<> admitted = middleware->admit(name, client, holds); !admitted)
      return std::unexpected(std::move(admitted.error()));
  return holds;
}

}  // namespace fairlead::tcp
