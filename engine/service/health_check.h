#pragma once

#include "engine/model/http_service.h"
#include "engine/upstream/check_schedule.h"
#include "engine/upstream/pools.h"

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace fairlead::service {

// The checks of one load balancer, as a snapshot has them.
struct HealthPlan {
  std::string service;  // "shop@docker"
  upstream::SetId id = 0;
  std::uint64_t key = 0;  // hash of the definition: an equal one goes on where it is
  std::shared_ptr<const upstream::ServerSet> set;
  std::shared_ptr<const upstream::TransportOptions> transport;
  std::optional<model::HealthCheck> active;
  std::optional<model::PassiveHealthCheck> passive;
};
using HealthPlans = std::vector<std::shared_ptr<const HealthPlan>>;

// Where a check asks: the server's URL with scheme, port and path of the check.
std::string check_url(const upstream::ServerAddress& server, const model::HealthCheck& check);
// Where a redirect from `url` leads; nothing for a location that is no http URL.
std::optional<std::string> redirect_target(std::string_view url, std::string_view location);

// Asks servers whether they are well, and brings those back that a passive check took out. Belongs to a loop
// that serves no requests; what it finds is in the servers' states, which all workers read.
class HealthChecks {
 public:
  // `changed`: a server of this service went or came; called on the loop's thread.
  using Changed = std::function<void(const HealthPlan& plan)>;
  HealthChecks(event::Loop& loop, upstream::Pools& pools, Changed changed);
  ~HealthChecks();
  HealthChecks(const HealthChecks&) = delete;
  HealthChecks& operator=(const HealthChecks&) = delete;

  // The first check of a server comes after one interval.
  void adopt(const HealthPlans& plans);
  std::size_t size() const { return probes_.size(); }

 private:
  class Probe;
  class Watched;
  Task<void> watch_passive();

  event::Loop& loop_;
  upstream::Pools& pools_;
  Changed changed_;
  upstream::RunningChecks running_;
  std::map<std::string, std::unique_ptr<Probe>> probes_;
  std::vector<Watched> watched_;  // servers with a passive check
  Task<void> watching_;
};

}  // namespace fairlead::service
