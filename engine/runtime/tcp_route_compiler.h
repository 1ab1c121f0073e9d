#pragma once

#include "engine/runtime/route_compiler.h"
#include "engine/runtime/tcp_service_compiler.h"

#include <map>
#include <memory>
#include <string>
#include <vector>

namespace fairlead::runtime {

// Puts the TCP routers of one snapshot, and the names of its HTTPS routers, into the tables that decide what
// a connection is.
class TcpRouteCompiler {
 public:
  TcpRouteCompiler(Compiler& compiler, const model::Static& install, model::Dynamic& dynamic, Snapshot& out,
                   TcpServiceCompiler& services)
      : compiler_(compiler), install_(install), dynamic_(dynamic), out_(out), services_(services) {}

  // `http` has run.
  void run(const RouteCompiler& http);

 private:
  using Element = model::Element<model::TcpRouter>;
  struct Table {
    routing::TcpRouter::Builder builder;
    std::vector<tcp::RoutePtr> plain;
    std::vector<tcp::RoutePtr> tls;
    Rivals plain_rivals;
    Rivals tls_rivals;
  };

  void add(const std::string& name, Element& element, std::uint64_t order);
  tcp::RoutePtr route(const std::string& name, Element& element);
  std::shared_ptr<const routing::Rule> rule(const model::TcpRouter& router, std::string& problem);

  Compiler& compiler_;
  const model::Static& install_;
  model::Dynamic& dynamic_;
  Snapshot& out_;
  TcpServiceCompiler& services_;
  std::map<std::string, Table, std::less<>> tables_;
  std::vector<std::string> defaults_;
};

}  // namespace fairlead::runtime
