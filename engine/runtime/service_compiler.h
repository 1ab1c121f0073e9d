#pragma once

#include <map>
#include <memory>
#include <string>
#include <unordered_map>
#include <unordered_set>

#include "engine/exchange/middleware.h"
#include "engine/exchange/service.h"
#include "engine/runtime/compile.h"

namespace fairlead::runtime {

// Remembers when the last usable server of a set left: requests are held for a while after that.
void note_usable(const upstream::ServerSet& set);

// Builds the services and middlewares of one snapshot, each once, when something asks for it.
class ServiceCompiler {
 public:
  ServiceCompiler(Compiler& compiler, const model::Static& install, model::Dynamic& dynamic, Snapshot& out,
                  const Snapshot* previous)
      : compiler_(compiler), install_(install), dynamic_(dynamic), out_(out), previous_(previous) {}

  // Never null: a broken or missing service is one that answers 503 with the reason.
  std::shared_ptr<const exchange::Service> service(const std::string& name);
  // Null when it cannot be built; the reason is attached to the middleware.
  std::shared_ptr<const exchange::Middleware> middleware(const std::string& name);
  // Middlewares, then the service, as one; shared among routers that have the same. Broken when one of them is.
  std::shared_ptr<const exchange::Service> chain(const std::vector<std::string>& middlewares,
                                                 const std::string& service_name);
  // After everything that is used was built: also those that nobody uses yet, so that the API can tell what is
  // wrong with them; and the sets that are gone.
  void finish();

 private:
  std::shared_ptr<const exchange::Service> build(const std::string& name);
  std::shared_ptr<const exchange::Service> load_balancer(const std::string& name,
                                                         model::Element<model::HttpService>& element);
  std::shared_ptr<const upstream::ServerSet> server_set(const std::string& name,
                                                        model::Element<model::HttpService>& element);
  std::shared_ptr<const upstream::TransportOptions> transport(const std::string& name, bool container);
  std::shared_ptr<const exchange::Middleware> make_middleware(const std::string& name,
                                                              std::vector<std::string> outer_chains);

  Compiler& compiler_;
  const model::Static& install_;
  model::Dynamic& dynamic_;
  Snapshot& out_;
  const Snapshot* previous_;
  std::unordered_map<std::string, std::shared_ptr<const exchange::Service>> services_;
  std::unordered_map<std::string, std::shared_ptr<const exchange::Middleware>> middlewares_;
  std::unordered_map<std::string, std::shared_ptr<const exchange::Service>> chains_;
  std::unordered_map<std::string, std::shared_ptr<const upstream::TransportOptions>> transports_;
  std::unordered_set<std::string> building_;
};

}  // namespace fairlead::runtime
