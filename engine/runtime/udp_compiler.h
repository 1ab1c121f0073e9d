#pragma once

#include "engine/runtime/compile.h"
#include "engine/udp/service.h"

#include <map>
#include <string>

namespace fairlead::runtime {

// UDP routers and services of one compilation: every UDP entry point of the snapshot gets its route.
class UdpCompiler {
 public:
  UdpCompiler(Compiler& compiler, const model::Static& install, model::Dynamic& dynamic, Snapshot& out)
      : compiler_(compiler), install_(install), dynamic_(dynamic), out_(out) {}

  void run();

 private:
  // Null for a service that is broken.
  udp::ServicePtr service(const std::string& name);
  udp::ServicePtr build(const std::string& name, model::Element<model::UdpService>& element);
  udp::ServicePtr load_balancer(const std::string& name, model::Element<model::UdpService>& element);
  // Every entry point has one router: the one whose name sorts last, among those that may serve.
  void add(const std::string& name, model::Element<model::UdpRouter>& element);
  bool may_serve(const model::Element<model::UdpRouter>& router) const;
  std::shared_ptr<const udp::Route> route(const std::string& name, model::Element<model::UdpRouter>& element,
                                          const model::EntryPoint& entry_point);

  Compiler& compiler_;
  const model::Static& install_;
  model::Dynamic& dynamic_;
  Snapshot& out_;
  std::map<std::string, udp::ServicePtr> services_;
};

}  // namespace fairlead::runtime
