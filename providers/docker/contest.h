#pragma once

#include "providers/docker/state.h"

#include <algorithm>
#include <string>
#include <vector>

namespace fairlead::providers::docker {

// One container's definition of a name.
template <class T>
struct Claim {
  std::size_t part;  // its place in the merge
  const Tracked* tracked;
  const std::string* owner;
  const model::Element<T>* element;
};

// Of one owner's replicas, the newest ready one's definition counts, so that a rollout never loses the route;
// while none is ready, the newest one's.
template <class T>
bool speaks_before(const Claim<T>& a, const Claim<T>& b) {
  const bool a_ready = a.tracked->state.server == model::ServerState::Ready;
  const bool b_ready = b.tracked->state.server == model::ServerState::Ready;
  if (a_ready != b_ready) return a_ready;
  return a.tracked->container.created > b.tracked->container.created;
}

// `holder` had the name before; it keeps it while it claims it. Else the owner of the oldest container.
template <class T>
const Claim<T>& choose(const std::vector<Claim<T>>& claims, const std::string& holder) {
  const auto held = [&](const Claim<T>& claim) { return *claim.owner == holder; };
  const std::string* owner = &holder;
  if (std::ranges::none_of(claims, held))
    owner = std::ranges::min_element(claims, {}, [](const Claim<T>& c) {
              return c.tracked->container.created;
            })->owner;
  const Claim<T>* best = nullptr;
  for (const Claim<T>& claim : claims)
    if (*claim.owner == *owner && (best == nullptr || speaks_before(claim, *best))) best = &claim;
  return *best;
}

// Servers of two engines join only when Compose says that they are one service.
template <class T>
bool may_join(const Claim<T>& a, const Claim<T>& b) {
  const Container &x = a.tracked->container, &y = b.tracked->container;
  if (x.host == y.host) return true;
  return !x.project().empty() && !x.service().empty() && x.project() == y.project() &&
         x.service() == y.service();
}

}  // namespace fairlead::providers::docker
