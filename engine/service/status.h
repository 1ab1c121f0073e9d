#pragma once

#include "engine/exchange/service.h"
#include "engine/upstream/pools.h"

#include <memory>
#include <string>

namespace fairlead::service {

// Whether a service can take a request now. Composites ask it at every pick, so it costs little.
class Status {
 public:
  virtual ~Status() = default;
  virtual bool up(const upstream::Pools& pools) const = 0;
};

// Of a load balancer: up while a server of it is usable.
class SetStatus final : public Status {
 public:
  explicit SetStatus(upstream::SetId set) : set_(set) {}
  bool up(const upstream::Pools& pools) const override {
    const upstream::Pools::Local* local = pools.find(set_);
    return local && local->set->any_usable();
  }

 private:
  upstream::SetId set_;
};

// A service below a composite.
struct Child {
  std::string name;  // as the configuration spells it: cookies and hashes are made of it
  int weight = 1;
  std::shared_ptr<const exchange::Service> service;
  std::shared_ptr<const Status> status;  // null: taken to be up

  bool up(const upstream::Pools& pools) const { return !status || status->up(pools); }
};

}  // namespace fairlead::service
