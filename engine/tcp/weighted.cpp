#include "engine/tcp/weighted.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace fairlead::tcp {
namespace {
// Services below each other may lead to the same servers again and again: twice at each level, 65,000 times
// at the deepest.
constexpr int kMostTried = 1000;
}  // namespace

Weighted::Weighted(std::vector<Child> children, std::shared_ptr<upstream::ServiceState> state)
    : children_(std::move(children)), state_(std::move(state)) {
  std::vector<int> weights;
  for (const Child& child : children_) weights.push_back(child.weight);
  schedule_ = upstream::make_schedule(weights);
}

bool Weighted::up(const upstream::Pools& pools) const {
  return std::ranges::any_of(children_, [&](const Child& child) {
    return child.weight > 0 && (!child.status || child.status->up(pools));
  });
}

std::size_t Weighted::pick(const upstream::Pools& pools, const std::vector<bool>& tried) const {
  std::size_t down = kNone;
  const auto index = upstream::take_turn(state_->position, schedule_, [&](std::uint16_t at) {
    if (tried[at]) return false;
    const Child& child = children_[at];
    if (!child.status || child.status->up(pools)) return true;
    if (down == kNone) down = at;
    return false;
  });
  return index ? *index : down;
}

Task<Result<Upstream>> Weighted::connect(Client& client) const {
  std::vector<bool> tried(children_.size());
  const bool may_hold = client.may_hold;
  Error last{503, Fault::Upstream, true, "no child service has a weight"};
  for (std::size_t i = 0; i < children_.size(); ++i) {
    const std::size_t index = pick(client.pools, tried);
    if (index == kNone) break;
    if (++client.services_tried > kMostTried)
      co_return fail(503, Fault::Upstream, fmt::format("{} child services were tried in vain", kMostTried));
    tried[index] = true;
    // Nothing is held while another child can serve.
    client.may_hold = may_hold && !up(client.pools);
    Result<Upstream> found = co_await children_[index].service->connect(client);
    client.may_hold = may_hold;
    if (found) co_return std::move(*found);
    last = std::move(found.error());
    if (!last.retryable) break;
  }
  co_return std::unexpected(std::move(last));
}

}  // namespace fairlead::tcp
