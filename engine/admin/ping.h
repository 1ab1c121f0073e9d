#pragma once

#include "engine/admin/view.h"
#include "engine/exchange/service.h"

namespace fairlead::admin {

// ping@internal: 200 OK, or `ping.terminatingStatusCode` while the program drains.
class Ping final : public exchange::Service {
 public:
  explicit Ping(std::shared_ptr<const Sources> sources) : sources_(std::move(sources)) {}
  Task<exchange::Response> serve(exchange::Exchange& x) const override;

 private:
  std::shared_ptr<const Sources> sources_;
};

}  // namespace fairlead::admin
