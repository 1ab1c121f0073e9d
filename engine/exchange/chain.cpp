#include "engine/exchange/chain.h"

namespace fairlead::exchange {

Chain::Chain(std::vector<std::shared_ptr<const Middleware>> middlewares,
             std::shared_ptr<const Service> service)
    : service_(std::move(service)) {
  for (auto& middleware : middlewares) {
    const auto members = middleware->members();
    if (members.empty())
      middlewares_.push_back(std::move(middleware));
    else
      middlewares_.insert(middlewares_.end(), members.begin(), members.end());
  }
}

Task<Response> Next::operator()(Exchange& x) const { return chain_->run(x, index_); }

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
