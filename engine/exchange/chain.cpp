#include "engine/exchange/chain.h"

#include <algorithm>

namespace fairlead::exchange {

Chain::Chain(std::vector<std::shared_ptr<const Middleware>> middlewares,
             std::shared_ptr<const Service> service, std::string owner)
    : service_(std::move(service)), owner_(std::move(owner)) {
  for (const auto& middleware : middlewares) {
    const auto members = middleware->members();
    if (members.empty()) add(middleware);
    for (const auto& member : members) add(member);
  }
}

void Chain::add(const std::shared_ptr<const Middleware>& middleware) {
  const std::string_view name = middleware->counts_as();
  const auto is_same = [name](const auto& other) { return other->counts_as() == name; };
  if (!name.empty() && std::ranges::any_of(middlewares_, is_same)) return;
  middlewares_.push_back(middleware);
}

Task<Response> Next::operator()(Exchange& x) const { return chain_->run(x, index_); }

std::string_view Next::owner(const Exchange& x) const {
  return chain_->owner().empty() ? x.router_name : chain_->owner();
}

Task<Response> HeadMiddleware::handle(Exchange& x, Next next) const {
  std::optional<Response> own = on_request(x);
  if (own) co_return std::move(*own);
  Response response = co_await next(x);
  on_response(x, response);
  co_return response;
}

Task<Response> Chain::run(Exchange& x, std::size_t from) const {
  if (from == middlewares_.size()) return service_->serve(x);
  std::size_t to = from;
  while (to < middlewares_.size() && middlewares_[to]->as_head()) ++to;
  if (to == from) return middlewares_[from]->handle(x, Next(*this, from + 1));
  return run_heads(x, from, to);
}

Task<Response> Chain::run_heads(Exchange& x, std::size_t from, std::size_t to) const {
  for (std::size_t i = from; i < to; ++i) {
    std::optional<Response> own = middlewares_[i]->as_head()->on_request(x);
    if (!own) continue;
    while (i-- > from) middlewares_[i]->as_head()->on_response(x, *own);
    co_return std::move(*own);
  }
  Response response = co_await run(x, to);
  for (std::size_t i = to; i-- > from;) middlewares_[i]->as_head()->on_response(x, response);
  co_return response;
}

}  // namespace fairlead::exchange
