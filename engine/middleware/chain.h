#pragma once

#include "engine/exchange/middleware.h"
#include "engine/middleware/registry.h"
#include "engine/schema/option.h"

#include <span>
#include <string>
#include <vector>

namespace fairlead::middleware {

struct ChainOptions {
  std::vector<std::string> middlewares;
};

// Stands for other middlewares. exchange::Chain puts them in its place when it is built, so a chain costs
// nothing at run time.
class ChainOf final : public exchange::Middleware {
 public:
  using Options = ChainOptions;
  // Errors: no member, one that does not exist or is broken, a chain that contains itself.
  static Configured<std::shared_ptr<const ChainOf>> make(const Options& options, Making& making);
  explicit ChainOf(std::vector<MiddlewarePtr> members) : members_(std::move(members)) {}

  std::span<const MiddlewarePtr> members() const override { return members_; }
  Task<exchange::Response> handle(exchange::Exchange& x, exchange::Next next) const override;

 private:
  const std::vector<MiddlewarePtr> members_;  // none of them is a chain
};

}  // namespace fairlead::middleware

template <>
inline constexpr auto fairlead::schema::options<fairlead::middleware::ChainOptions> =
    table(option<&middleware::ChainOptions::middlewares>("middlewares", "Names of middlewares, in order."));
static_assert(fairlead::schema::complete<fairlead::middleware::ChainOptions>());
