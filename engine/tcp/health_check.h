#pragma once

#include "engine/model/tcp.h"
#include "engine/tcp/connector.h"
#include "engine/upstream/check_schedule.h"

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace fairlead::tcp {

// The checks of one load balancer, as a snapshot has them.
struct HealthPlan {
  std::string service;    // "db@docker"
  std::uint64_t key = 0;  // hash of the definition: an equal one goes on where it is
  std::shared_ptr<const upstream::ServerSet> set;
  std::shared_ptr<const TransportOptions> transport;
  model::TcpHealthCheck check;
};
using HealthPlans = std::vector<std::shared_ptr<const HealthPlan>>;

// Where a check connects to: the server, with the port of the check when it has one.
upstream::ServerAddress check_address(const upstream::ServerAddress& server,
                                      const model::TcpHealthCheck& check);

// Connects to servers at an interval, and asks them for words when the check has some. Belongs to a loop that
// serves no connections; what it finds is in the servers' states, which all workers read.
class HealthChecks {
 public:
  // `changed`: a server of this service went or came; called on the loop's thread.
  using Changed = std::function<void(const HealthPlan& plan)>;
  HealthChecks(event::Loop& loop, Changed changed);
  ~HealthChecks();
  HealthChecks(const HealthChecks&) = delete;
  HealthChecks& operator=(const HealthChecks&) = delete;

  // The first check of a server comes after one interval.
  void adopt(const HealthPlans& plans);
  std::size_t size() const { return probes_.size(); }

 private:
  class Probe;

  event::Loop& loop_;
  Changed changed_;
  upstream::RunningChecks running_;
  std::map<std::string, std::unique_ptr<Probe>> probes_;
};

}  // namespace fairlead::tcp
