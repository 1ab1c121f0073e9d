#pragma once

#include "engine/service/load_balancer.h"
#include "engine/service/picker.h"
#include "engine/tcp/connector.h"
#include "engine/tcp/service.h"

#include <cstdint>
#include <memory>
#include <string>

namespace fairlead::tcp {

struct LoadBalancerOptions {
  std::string name;  // "db@docker"
  upstream::SetId set = 0;
  service::HoldOptions hold;  // of connections
  std::shared_ptr<const TransportOptions> transport;
};

// The servers of a service, by turns. One that cannot be reached is passed over: no byte of the client has
// been sent yet.
class LoadBalancer final : public Service {
 public:
  explicit LoadBalancer(LoadBalancerOptions options) : options_(std::move(options)) {}

  Task<Result<Upstream>> connect(Client& client) const override;

 private:
  Task<bool> hold(Client& client, TimePoint until, upstream::SetId& set) const;
  Error unavailable(const Client& client, upstream::SetId set) const;

  LoadBalancerOptions options_;
};

// Weighted round robin over the schedule of the set; kNoServer when none can be taken.
int pick(const upstream::ServerSet& set, const service::Tried& tried);

}  // namespace fairlead::tcp
