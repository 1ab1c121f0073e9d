#pragma once

#include "engine/model/http.h"

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace fairlead::model {

struct EntryPoint;
struct Static;

// Whether an entry point adds something of its own to its routers: TLS, middlewares, observability or a check
// of escapes. A router of several entry points then goes by one name for each such: "websecure-shop@docker".
bool adds_to_routers(const EntryPoint& entry_point);
bool any_adds_to_routers(const Static& install);

std::string served_name(const std::string& entry_point, const std::string& router);

// Whether the middlewares and the TLS of its entry points count for a router. They do for our own as well
// (who guards the entry point of the API guards the API), with two exceptions: tokens of http-01 are answered
// before all of it, and what an entry point redirects are plain requests.
bool takes_middlewares(const std::string& name, const HttpRouter& router);
bool takes_tls(const std::string& name, const HttpRouter& router);

// What an entry point names, as it counts for the routers of a provider: a bare name is that provider's.
std::vector<std::string> middlewares_for(const EntryPoint& entry_point, std::string_view provider);
std::string tls_options_for(const RouterTls& tls, std::string_view provider);

// A router at some of its entry points.
struct Served {
  std::string name;
  std::vector<std::string> entry_points;
  const EntryPoint* adds = nullptr;  // of `install`: what it adds to the router; null: nothing
};

// How a router is split; `defaults` are the entry points of those that name none. Children of others stay
// whole, and so does the router of http-01.
std::vector<Served> served_as(const std::string& name, const HttpRouter& router, const Static& install,
                              const std::vector<std::string>& defaults);

// The routers as Traefik's API shows them: split, and with what their entry points add. Nothing when no entry
// point adds anything.
std::optional<std::map<std::string, Element<HttpRouter>>> served_routers(const Http& http,
                                                                         const Static& install);

// The name in the configuration of one of the copies above; the same name when it is none.
std::string configured_name(const std::string& served, const Http& http, const Static& install);

}  // namespace fairlead::model
