#pragma once

#include "engine/runtime/compile.h"
#include "engine/service/status.h"
#include "engine/tcp/connector.h"
#include "engine/tcp/middleware.h"
#include "engine/tcp/service.h"

#include <memory>
#include <string>
#include <unordered_map>
#include <unordered_set>

namespace fairlead::runtime {

// Builds the TCP services and middlewares of one snapshot, each once, when something asks for it.
class TcpServiceCompiler {
 public:
  TcpServiceCompiler(Compiler& compiler, const model::Static& install, model::Dynamic& dynamic, Snapshot& out,
                     const Snapshot* previous)
      : compiler_(compiler), install_(install), dynamic_(dynamic), out_(out), previous_(previous) {}

  // Null when it is broken or missing; the reason is attached to it.
  std::shared_ptr<const tcp::Service> service(const std::string& name);
  tcp::MiddlewarePtr middleware(const std::string& name);
  // After everything that is used was built: also what nobody uses yet, so that the API can tell what is
  // wrong with it; and the sets that are gone.
  void finish();

 private:
  using Element = model::Element<model::TcpService>;

  std::shared_ptr<const tcp::Service> build(const std::string& name, Element& element);
  std::shared_ptr<const tcp::Service> load_balancer(const std::string& name, Element& element);
  std::shared_ptr<const tcp::Service> weighted(const std::string& name, Element& element);
  std::shared_ptr<const upstream::ServerSet> server_set(const std::string& name, Element& element,
                                                        std::uint64_t checks);
  std::shared_ptr<const tcp::TransportOptions> transport(const model::TcpLoadBalancer& options,
                                                         bool container, Element& element);
  void secure(const model::TcpClientTls& options, Element& element, tcp::TransportOptions& out);
  // Tells what is wrong with the files of serversTransports, used or not.
  void check_transports();

  Compiler& compiler_;
  const model::Static& install_;
  model::Dynamic& dynamic_;
  Snapshot& out_;
  const Snapshot* previous_;
  std::unordered_map<std::string, std::shared_ptr<const tcp::Service>> services_;
  std::unordered_map<std::string, tcp::MiddlewarePtr> middlewares_;
  std::unordered_map<std::string, std::shared_ptr<const service::Status>> statuses_;
  std::unordered_set<std::string> building_;
};

}  // namespace fairlead::runtime
