#pragma once

#include "engine/routing/http_router.h"
#include "engine/runtime/rivals.h"
#include "engine/runtime/service_compiler.h"

#include <map>
#include <string>
#include <vector>

namespace fairlead::runtime {

// Puts the HTTP routers of one snapshot into the tables of their entry points.
class RouteCompiler {
 public:
  RouteCompiler(Compiler& compiler, const model::Static& install, model::Dynamic& dynamic, Snapshot& out,
                ServiceCompiler& services)
      : compiler_(compiler), install_(install), dynamic_(dynamic), out_(out), services_(services) {}

  void run();
  // What the HTTPS routers of an entry point wish; after run().
  const std::vector<tls::Wish>& wishes(const std::string& entry_point) const {
    return tables_.find(entry_point)->second.wishes;
  }

 private:
  struct Tables {
    routing::HttpRouter::Builder plain;
    routing::HttpRouter::Builder secure;
    std::vector<exchange::Route> plain_routes;
    std::vector<exchange::Route> secure_routes;
    std::vector<tls::Wish> wishes;  // of the secure ones
    Rivals plain_rivals;
    Rivals secure_rivals;
  };

  void add(const std::string& name, model::Element<model::HttpRouter>& element, std::uint64_t order);
  exchange::Route route(const std::string& name, model::Element<model::HttpRouter>& element,
                        const std::string& entry_point_name, const model::EntryPoint& entry_point);
  // Null, and the router broken, when the rule cannot be read.
  std::shared_ptr<const routing::Rule> rule(model::Element<model::HttpRouter>& element);
  routing::Standing standing(const std::string& name, model::Element<model::HttpRouter>& element,
                             const routing::Rule& rule, std::uint64_t order) const;
  // What a matching request meets: the middlewares, then the service or the routers below (parentRefs).
  std::shared_ptr<const exchange::Service> handler(const std::string& name,
                                                   model::Element<model::HttpRouter>& element,
                                                   std::vector<std::string> middlewares);
  std::shared_ptr<const exchange::Service> only_here(const std::string& name,
                                                     model::Element<model::HttpRouter>& element,
                                                     const std::string& entry_point,
                                                     std::vector<model::Reason> reasons);
  std::shared_ptr<const exchange::Service> children(const std::string& parent);

  Compiler& compiler_;
  const model::Static& install_;
  model::Dynamic& dynamic_;
  Snapshot& out_;
  ServiceCompiler& services_;
  std::map<std::string, Tables, std::less<>> tables_;
  std::vector<std::string> defaults_;
  std::map<std::string, std::vector<std::string>, std::less<>> below_;  // routers by their parents
  std::map<std::string, std::shared_ptr<const exchange::Service>, std::less<>> branches_;  // made of them
};

}  // namespace fairlead::runtime
