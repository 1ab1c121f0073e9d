#include "engine/service/children.h"

#include <optional>

namespace fairlead::service {

using exchange::Exchange;
using exchange::Response;

namespace {
// Services below each other may lead to the same servers again and again: twice at each level, 65,000 times
// at the deepest.
constexpr int kMostRetries = 1000;
}  // namespace

bool AmongChildren::up(const upstream::Pools& pools) const {
  for (const Child& child : children_)
    if (child.weight > 0 && child.up(pools)) return true;
  return false;
}

Task<Response> AmongChildren::serve(Exchange& x) const {
  const http::RequestHead original = x.request;
  const bool may_hold = x.may_hold;
  std::vector<std::size_t> tried;
  std::optional<Response> response;
  for (;;) {
    const Eligible well(children_, x.pools, tried, true);
    const bool all_down = !well.any();
    if (all_down && response) break;  // the last failure is the answer
    const int index = pick(x, all_down ? Eligible(children_, x.pools, tried, false) : well);
    if (index == kNoChild) {
      x.record.reason = "no server";
      x.record.cause = Error{503, Fault::Upstream, true, "no child service has a weight"};
      Response none = exchange::answer(x, 503, "no available server\n");
      none.cause = x.record.cause;
      co_return none;
    }
    const auto chosen = static_cast<std::size_t>(index);
    const bool another = well.any_besides(chosen);
    if (response) {
      response.reset();
      x.request = original;  // middlewares of the child rewrote it
      x.record.reason.clear();
      x.record.cause.reset();
      ++x.record.retries;
    }
    x.may_hold = may_hold && !another;
    response.emplace(co_await children_[chosen].service->serve(x));
    x.may_hold = may_hold;
    if (!another || !response->retryable() || x.record.retries >= kMostRetries) {
      if (!response->cause) picked(original, *response, chosen);
      break;
    }
    tried.push_back(chosen);
  }
  co_return std::move(*response);
}

}  // namespace fairlead::service
