#pragma once

#include "engine/model/http.h"

#include <map>
#include <optional>
#include <string>
#include <vector>

namespace fairlead::model {

struct EntryPoint;
struct Static;

// Whether an entry point adds something of its own to its routers: TLS, middlewares, observability or a check
// of escapes. A router of several entry points then goes by one name for each such: "websecure-shop@docker".
bool adds_to_routers(const EntryPoint& entry_point);
bool any_adds_to_routers(const Static& install);

std::string served_name(const std::string& entry_point, const std::string& router);

// A router at some of its entry points.
struct Served {
  std::string name;
  std::vector<std::string> entry_points;
  const EntryPoint* adds = nullptr;  // of `install`: what it adds to the router; null: nothing
};

// How a router is split; `defaults` are the entry points of those that name none. Our own, and children of
// others, stay whole.
std::vector<Served> served_as(const std::string& name, const HttpRouter& router, const Static& install,
                              const std::vector<std::string>& defaults);

// The routers as Traefik's API shows them: split, and with what their entry points add. Nothing when no entry
// point adds anything.
std::optional<std::map<std::string, Element<HttpRouter>>> served_routers(const Http& http,
                                                                         const Static& install);

// The name in the configuration of one of the copies above; the same name when it is none.
std::string configured_name(const std::string& served, const Http& http, const Static& install);

}  // namespace fairlead::model
