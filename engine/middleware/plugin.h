#pragma once

#include "engine/exchange/middleware.h"
#include "engine/middleware/registry.h"
#include "engine/schema/node.h"
#include "engine/schema/option.h"

#include <map>
#include <string>

namespace fairlead::middleware {

// Traefik's plugins are Go programs. Their options are read, so that a label of one spoils nothing else, and
// routers that use one answer 503: what it would have checked is not checked.
class Plugin final : public exchange::HeadMiddleware {
 public:
  using Options = std::map<std::string, schema::Node>;
  static Configured<std::shared_ptr<const Plugin>> make(const Options& options, Making&) {
    if (options.size() != 1) return misconfigured("plugin", "must name exactly one plugin");
    return misconfigured(options.begin()->first, "plugins cannot be used here");
  }
};

}  // namespace fairlead::middleware
