#pragma once

#include "engine/admin/view.h"
#include "engine/exchange/service.h"

#include <memory>
#include <string>

namespace fairlead::admin {

// dashboard@internal: one page under <api.basePath>/dashboard/ that shows routers, services, middlewares and
// entry points with what keeps them from working. All it knows it asks from the API.
class Dashboard final : public exchange::Service {
 public:
  explicit Dashboard(std::shared_ptr<const Sources> sources);
  Task<exchange::Response> serve(exchange::Exchange& x) const override;

 private:
  std::shared_ptr<const Sources> sources_;
  std::string policy_;  // Content-Security-Policy: only the page's own script and style
};

}  // namespace fairlead::admin
