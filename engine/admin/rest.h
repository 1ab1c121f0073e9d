#pragma once

#include "engine/admin/view.h"
#include "engine/exchange/service.h"

namespace fairlead::admin {

// rest@internal: PUT /api/providers/rest with a dynamic configuration as JSON replaces the whole
// configuration of the REST provider and is answered with it.
class Rest final : public exchange::Service {
 public:
  explicit Rest(std::shared_ptr<const Sources> sources) : sources_(std::move(sources)) {}
  Task<exchange::Response> serve(exchange::Exchange& x) const override;

 private:
  std::shared_ptr<const Sources> sources_;
};

}  // namespace fairlead::admin
