#pragma once

#include "engine/service/status.h"
#include "engine/tcp/service.h"

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace fairlead::tcp {

struct Child {
  std::string name;
  int weight = 1;
  std::shared_ptr<const Service> service;
  std::shared_ptr<const service::Status> status;
};

// Weighted round robin between services. One that is down is passed over while another is up, and one that
// has no server to connect to lets the next one try. When all are down the pick is made as if all were up:
// that child says why, or holds the connection.
class Weighted final : public Service, public service::Status {
 public:
  // `state` has the position, shared by all workers and kept over configuration changes.
  Weighted(std::vector<Child> children, std::shared_ptr<upstream::ServiceState> state);

  Task<Result<Upstream>> connect(Client& client) const override;
  bool up(const upstream::Pools& pools) const override;

 private:
  static constexpr std::size_t kNone = static_cast<std::size_t>(-1);
  std::size_t pick(const upstream::Pools& pools, const std::vector<bool>& tried) const;

  std::vector<Child> children_;
  std::shared_ptr<upstream::ServiceState> state_;
  std::vector<std::uint16_t> schedule_;
};

}  // namespace fairlead::tcp
