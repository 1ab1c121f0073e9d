#pragma once

#include "engine/exchange/middleware.h"
#include "engine/exchange/service.h"

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace fairlead::exchange {

// How many middlewares one chain may hold, groups taken apart. Each costs stack while the next one runs, and
// groups of groups multiply: ten names in each of eight would be a hundred million.
inline constexpr std::size_t kMostMiddlewares = 100;

// Middlewares in order, then a service. Runs of head middlewares need no coroutine of their own.
class Chain final : public Service {
 public:
  // Groups (Middleware::members) are taken apart here; a group holds no group. `owner`: empty for the chain
  // of a router, see Next::owner().
  Chain(std::vector<std::shared_ptr<const Middleware>> middlewares, std::shared_ptr<const Service> service,
        std::string owner = {});

  Task<Response> serve(Exchange& x) const override { return run(x, 0); }
  Task<Response> run(Exchange& x, std::size_t from) const;
  std::string_view owner() const { return owner_; }

 private:
  void add(const std::shared_ptr<const Middleware>& middleware);
  Task<Response> run_heads(Exchange& x, std::size_t from, std::size_t to) const;

  std::vector<std::shared_ptr<const Middleware>> middlewares_;
  std::shared_ptr<const Service> service_;
  std::string owner_;
};

}  // namespace fairlead::exchange
