#pragma once

#include "engine/model/dynamic.h"

#include <set>
#include <string>
#include <unordered_map>
#include <vector>

namespace fairlead::model {

struct Static;

// Which routers use a service or a middleware, and where routers are served. Built once per configuration.
struct Usage {
  using Users = std::unordered_map<std::string, std::vector<std::string>>;

  Users http_services;
  Users http_middlewares;
  Users tcp_services;
  Users tcp_middlewares;
  Users udp_services;
  std::vector<std::string> default_tcp;  // entry points of HTTP and TCP routers that name none
  std::vector<std::string> default_udp;
  std::set<std::string> entry_points;  // that exist
};
Usage usage_of(const Dynamic& dynamic, const Static& install);

}  // namespace fairlead::model
