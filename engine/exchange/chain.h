#pragma once

#include "engine/exchange/middleware.h"
#include "engine/exchange/service.h"

#include <memory>
#include <vector>

namespace fairlead::exchange {

// Middlewares in order, then a service. Runs of head middlewares need no coroutine of their own.
class Chain final : public Service {
 public:
  // Groups (Middleware::members) are taken apart here; a group holds no group.
  Chain(std::vector<std::shared_ptr<const Middleware>> middlewares, std::shared_ptr<const Service> service);

  Task<Response> serve(Exchange& x) const override { return run(x, 0); }
  Task<Response> run(Exchange& x, std::size_t from) const;

 private:
  Task<Response> run_heads(Exchange& x, std::size_t from, std::size_t to) const;

  std::vector<std::shared_ptr<const Middleware>> middlewares_;
  std::shared_ptr<const Service> service_;
};

}  // namespace fairlead::exchange
