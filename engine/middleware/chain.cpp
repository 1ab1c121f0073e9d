#include "engine/middleware/chain.h"

#include "engine/base/assert.h"
#include "engine/base/strings.h"
#include "engine/exchange/chain.h"

#include <fmt/format.h>

#include <algorithm>

namespace fairlead::middleware {
namespace {

// "b@docker" for "b" in a chain of Docker's.
std::string qualified(std::string_view name, std::string_view beside) {
  if (name.find('@') != name.npos || beside.find('@') == beside.npos) return std::string(name);
  return std::string(name).append(beside.substr(beside.find('@')));
}

}  // namespace

Configured<std::shared_ptr<const ChainOf>> ChainOf::make(const Options& options, Making& making) {
  if (options.middlewares.empty()) return misconfigured("middlewares", "must not be empty");
  std::vector<std::string> chains = making.outer_chains;
  chains.push_back(making.name);
  std::vector<MiddlewarePtr> members;
  for (const std::string& name : options.middlewares) {
    const std::string full = qualified(name, making.name);
    if (std::ranges::find(chains, full) != chains.end())
      return misconfigured("middlewares",
                           fmt::format("recursion detected in {}->{}", join(chains, "->"), full));
    auto member = making.middleware ? making.middleware(name) : misconfigured("", "does not exist");
    if (!member) return misconfigured("middlewares", fmt::format("{}: {}", full, member.error().what));
    if (const auto inner = (*member)->members(); !inner.empty())
      members.insert(members.end(), inner.begin(), inner.end());
    else
      members.push_back(std::move(*member));
    if (members.size() > exchange::kMostMiddlewares)
      return misconfigured("middlewares", fmt::format("come to more than {}", exchange::kMostMiddlewares));
  }
  return std::make_shared<const ChainOf>(std::move(members));
}

Task<exchange::Response> ChainOf::handle(exchange::Exchange& x, exchange::Next next) const {
  FL_ASSERT(false, "exchange::Chain takes the members of a chain, never the chain itself");
  co_return co_await next(x);
}

}  // namespace fairlead::middleware
