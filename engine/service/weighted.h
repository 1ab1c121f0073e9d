#pragma once

#include "engine/service/children.h"
#include "engine/upstream/sticky.h"

#include <cstdint>
#include <memory>
#include <vector>

namespace fairlead::service {

// Weighted round robin between services; a cookie may pin a client to one of them.
class Weighted final : public AmongChildren {
 public:
  // `state` has the position, shared by all workers and kept over configuration changes. `sticky`: null for
  // no affinity; its targets are the children in order.
  Weighted(std::vector<Child> children, std::shared_ptr<upstream::ServiceState> state,
           std::shared_ptr<const upstream::Sticky> sticky);

 private:
  int pick(exchange::Exchange& x, const Eligible& eligible) const override;
  void picked(const http::RequestHead& request, exchange::Response& response,
              std::size_t index) const override;

  std::shared_ptr<upstream::ServiceState> state_;
  std::shared_ptr<const upstream::Sticky> sticky_;
  std::vector<std::uint16_t> schedule_;
};

// Highest random weight between services: a client stays with its child as long as that is up.
class HighestRandomWeight final : public AmongChildren {
 public:
  explicit HighestRandomWeight(std::vector<Child> children) : AmongChildren(std::move(children)) {}

 private:
  int pick(exchange::Exchange& x, const Eligible& eligible) const override;
};

}  // namespace fairlead::service
