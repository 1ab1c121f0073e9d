#include "engine/tcp/weighted.h"

#include <algorithm>
#include <utility>

namespace fairlead::tcp {

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
  const std::size_t slots = schedule_.size();
  if (slots == 0) return kNone;
  const std::uint64_t start = state_->position.fetch_add(1, std::memory_order_relaxed);
  std::size_t down = kNone;
  for (std::size_t step = 0; step < slots; ++step) {
    const std::size_t index = schedule_[(start + step) % slots];
    if (tried[index]) continue;
    const Child& child = children_[index];
    if (!child.status || child.status->up(pools)) return index;
    if (down == kNone) down = index;
  }
  return down;
}

Task<Result<Upstream>> Weighted::connect(Client& client) const {
  std::vector<bool> tried(children_.size());
  const bool may_hold = client.may_hold;
  Error last{503, Fault::Upstream, true, "no child service has a weight"};
  for (std::size_t i = 0; i < children_.size(); ++i) {
    const std::size_t index = pick(client.pools, tried);
    if (index == kNone) break;
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
