#pragma once

#include "engine/exchange/middleware.h"
#include "engine/exchange/service.h"
#include "engine/runtime/compile.h"
#include "engine/runtime/tracer.h"
#include "engine/runtime/transport_compiler.h"
#include "engine/service/status.h"

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <unordered_set>

namespace fairlead::runtime {

// Remembers when the last usable server of a set left: requests are held for a while after that.
void note_usable(const upstream::ServerSet& set);

// Builds the services and middlewares of one snapshot, each once, when something asks for it.
class ServiceCompiler {
 public:
  ServiceCompiler(Compiler& compiler, const model::Static& install, model::Dynamic& dynamic, Snapshot& out,
                  const Snapshot* previous)
      : compiler_(compiler),
        install_(install),
        dynamic_(dynamic),
        out_(out),
        previous_(previous),
        detailed_traces_(wants_detailed_traces(install, dynamic)),
        transports_(compiler, install, dynamic) {}

  // Whether routers, middlewares and services get spans of their own, for any router.
  bool detailed_traces() const { return detailed_traces_; }

  // Never null: a broken or missing service is one that answers 503 with the reason.
  std::shared_ptr<const exchange::Service> service(const std::string& name);
  // Null when it cannot be built; the reason is attached to the middleware.
  std::shared_ptr<const exchange::Middleware> middleware(const std::string& name);
  // In order; a broken or missing one leaves its reason.
  std::vector<std::shared_ptr<const exchange::Middleware>> middlewares(const std::vector<std::string>& names,
                                                                       std::vector<model::Reason>& missing);
  // Middlewares, then the service, as one; shared among routers that have the same. With reasons it answers
  // 503.
  struct Handler {
    std::shared_ptr<const exchange::Service> service;
    std::vector<model::Reason> reasons;
  };
  const Handler& chain(const std::vector<std::string>& middlewares, const std::string& service_name);
  // The same in front of anything else.
  Handler chain(const std::vector<std::string>& middlewares, std::shared_ptr<const exchange::Service> target);
  // After everything that is used was built: also those that nobody uses yet, so that the API can tell what
  // is wrong with them; and the sets that are gone.
  void finish();

 private:
  std::shared_ptr<const exchange::Service> build(const std::string& name);
  std::shared_ptr<const exchange::Service> load_balancer(const std::string& name,
                                                         model::Element<model::HttpService>& element);
  void plan_checks(const std::string& name, upstream::SetId id,
                   std::shared_ptr<const upstream::ServerSet> set, const model::LoadBalancer& options);
  // Services made of services: composite_compiler.cpp. Null when broken.
  enum class Heed : unsigned char { Containers, All };
  std::optional<service::Child> child(const std::string& parent, model::Element<model::HttpService>& element,
                                      const std::string& name, Heed heed);
  std::optional<std::vector<service::Child>> children(const std::string& parent,
                                                      model::Element<model::HttpService>& element,
                                                      const std::vector<model::WeightedChild>& list,
                                                      bool propagated);
  template <class T>
  std::shared_ptr<const exchange::Service> with_status(const std::string& name,
                                                       std::shared_ptr<const T> made);
  std::shared_ptr<const exchange::Service> weighted(const std::string& name,
                                                    model::Element<model::HttpService>& element);
  std::shared_ptr<const exchange::Service> mirroring(const std::string& name,
                                                     model::Element<model::HttpService>& element);
  std::shared_ptr<const exchange::Service> failover(const std::string& name,
                                                    model::Element<model::HttpService>& element);
  std::shared_ptr<const exchange::Service> composite(const std::string& name,
                                                     model::Element<model::HttpService>& element);
  std::shared_ptr<const upstream::ServerSet> server_set(const std::string& name,
                                                        model::Element<model::HttpService>& element);
  std::shared_ptr<const exchange::Middleware> make_middleware(const std::string& name,
                                                              std::vector<std::string> outer_chains);

  Compiler& compiler_;
  const model::Static& install_;
  model::Dynamic& dynamic_;
  Snapshot& out_;
  const Snapshot* previous_;
  const bool detailed_traces_;
  std::unordered_map<std::string, std::shared_ptr<const exchange::Service>> services_;
  std::unordered_map<std::string, std::shared_ptr<const exchange::Middleware>> middlewares_;
  std::unordered_map<std::string, Handler> chains_;
  TransportCompiler transports_;
  std::unordered_map<std::string, std::shared_ptr<const service::Status>> statuses_;
  std::unordered_set<std::string> building_;
};

}  // namespace fairlead::runtime
