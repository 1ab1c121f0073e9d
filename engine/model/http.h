#pragma once

#include "engine/model/http_router.h"
#include "engine/model/http_service.h"
#include "engine/model/reason.h"
#include "engine/model/servers_transport.h"
#include "engine/schema/node.h"

#include <map>
#include <string>
#include <vector>

namespace fairlead::model {

// A middleware by name. Its options stay a tree here: the registry of middlewares reads them when it makes
// one.
struct Middleware {
  std::string type;  // "stripPrefix", in the registry's spelling; empty when broken before the type was known
  schema::Node options;  // what stands below the type key

  bool operator==(const Middleware&) const = default;
};

struct Http {
  std::map<std::string, Element<HttpRouter>> routers;
  std::map<std::string, Element<HttpService>> services;
  std::map<std::string, Element<Middleware>> middlewares;
  std::map<std::string, Element<ServersTransport>> servers_transports;
  std::map<std::string, std::vector<Standing>> standings;  // by service

  bool operator==(const Http&) const = default;
};

}  // namespace fairlead::model
