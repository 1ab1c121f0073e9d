#include "engine/service/weighted.h"

#include "engine/service/rendezvous.h"

namespace fairlead::service {
namespace {

std::vector<int> weights_of(const std::vector<Child>& children) {
  std::vector<int> weights;
  for (const Child& child : children) weights.push_back(child.weight);
  return weights;
}

}  // namespace

Weighted::Weighted(std::vector<Child> children, std::shared_ptr<upstream::ServiceState> state,
                   std::shared_ptr<const upstream::Sticky> sticky)
    : AmongChildren(std::move(children)),
      state_(std::move(state)),
      sticky_(std::move(sticky)),
      schedule_(upstream::make_schedule(weights_of(this->children()))) {}

int Weighted::pick(exchange::Exchange& x, const Eligible& eligible) const {
  if (sticky_) {
    const int pinned = sticky_->find(x.request.fields).target;
    if (pinned >= 0 && eligible(static_cast<std::size_t>(pinned))) return pinned;
  }
  const auto index = upstream::take_turn(state_->position, schedule_, eligible);
  return index ? *index : kNoChild;
}

void Weighted::picked(const http::RequestHead& request, exchange::Response& response,
                      std::size_t index) const {
  if (!sticky_) return;
  const upstream::Sticky::Hit pinned = sticky_->find(request.fields);
  const int chosen = static_cast<int>(index);
  if (pinned.target != chosen || pinned.legacy) sticky_->set(response.head.fields, chosen);
}

int HighestRandomWeight::pick(exchange::Exchange& x, const Eligible& eligible) const {
  RendezvousDraw draw;
  const std::uint64_t seed = fnv1a(x.client_ip);
  for (std::size_t i = 0; i < children().size(); ++i)
    if (eligible(i)) draw.offer(static_cast<int>(i), fnv1a(children()[i].name, seed), children()[i].weight);
  return draw.best();
}

}  // namespace fairlead::service
