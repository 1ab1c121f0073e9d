#pragma once

#include "engine/admin/view.h"
#include "engine/exchange/service.h"

#include <memory>
#include <string_view>

namespace fairlead::admin {

// The service that the program itself answers under this name: api, dashboard, ping, prometheus, acme-http
// and noop, with or without "@internal"; null for others.
std::shared_ptr<const exchange::Service> internal_service(std::string_view name,
                                                          std::shared_ptr<const Sources> sources);

}  // namespace fairlead::admin
