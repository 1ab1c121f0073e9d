#pragma once

#include "engine/base/task.h"
#include "engine/exchange/exchange.h"
#include "engine/exchange/response.h"

namespace fairlead::exchange {

// Answers a request: a balancer, the proxying step, a mirror, an endpoint of our own. Immutable, one per
// snapshot.
class Service {
 public:
  virtual ~Service() = default;
  virtual Task<Response> serve(Exchange& x) const = 0;
};

}  // namespace fairlead::exchange
