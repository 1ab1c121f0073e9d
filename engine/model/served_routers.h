#pragma once

#include "engine/model/http.h"

#include <map>
#include <optional>
#include <string>

namespace fairlead::model {

struct EntryPoint;
struct Static;

// Whether an entry point adds something of its own to its routers: TLS, middlewares, observability or a check
// of escapes. A router of several entry points then goes by one name for each such: "websecure-shop@docker".
bool adds_to_routers(const EntryPoint& entry_point);

std::string served_name(const std::string& entry_point, const std::string& router);

// The routers as Traefik's API shows them: with what their entry points add, in copies where that splits
// them. Those of our own, and children of others, stay as they are. Nothing when no entry point adds
// anything.
std::optional<std::map<std::string, Element<HttpRouter>>> served_routers(const Http& http,
                                                                         const Static& install);

// The name in the configuration of one of the copies above; the same name when it is none.
std::string configured_name(const std::string& served, const Http& http, const Static& install);

}  // namespace fairlead::model
