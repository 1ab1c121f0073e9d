#pragma once

#include "engine/exchange/carry_over.h"
#include "engine/routing/rule.h"
#include "engine/runtime/client_contexts.h"
#include "engine/runtime/snapshot.h"
#include "engine/tls/site.h"

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>

namespace fairlead::runtime {

// Services that the program itself answers: api@internal, ping@internal, …; null for an unknown name.
using InternalServices = std::function<std::shared_ptr<const exchange::Service>(std::string_view name)>;

// Turns configurations into snapshots, on the control thread. It keeps what the next compilation can use
// again: parsed rules, numbers of server sets, and the states that outlive snapshots.
class Compiler {
 public:
  explicit Compiler(InternalServices internal) : internal_(std::move(internal)) {}

  // `dynamic` is merged and validated; what compiling finds wrong (a middleware's options, a rule) is
  // attached to its elements as well, so it is changed. `previous` may be null.
  std::shared_ptr<const Snapshot> compile(std::shared_ptr<const model::Static> install,
                                          std::shared_ptr<model::Dynamic> dynamic, const Snapshot* previous);

  // Whether a certificate or authority that the configuration names has changed on disk: compile again.
  bool files_changed() { return site_.files_changed(); }
  const std::shared_ptr<tls::Tables>& tls_tables() const { return site_.tables(); }

  // Changes of state alone need no compilation: the sets that have one of the servers.
  using Phases = std::unordered_map<std::string, upstream::Phase>;  // by URL or address
  std::vector<upstream::SetId> set_phases(const Snapshot& snapshot, const Phases& phases);
  // Number of a service's set of servers. Names of HTTP and TCP services may be the same.
  upstream::SetId set_id(const std::string& service) { return set_id(set_ids_, service); }
  upstream::SetId tcp_set_id(const std::string& service) { return set_id(tcp_set_ids_, service); }

 private:
  friend class ServiceCompiler;
  friend class TransportCompiler;
  friend class RouteCompiler;
  friend class TcpServiceCompiler;
  friend class TcpRouteCompiler;
  friend class UdpCompiler;

  using SetIds = std::unordered_map<std::string, upstream::SetId>;

  std::shared_ptr<const routing::Rule> rule(const model::HttpRouter& router, std::string& problem,
                                            const model::Static& install);
  upstream::SetId set_id(SetIds& ids, const std::string& service);

  InternalServices internal_;
  exchange::CarryOver carry_over_;
  tls::Site site_{std::make_shared<tls::Tables>(), {"http/1.1", "h2"}};
  ClientContexts client_contexts_{site_.files()};
  SetIds set_ids_, tcp_set_ids_;
  // Rules by syntax and text, of the compilation before and of this one.
  std::unordered_map<std::string, std::shared_ptr<const routing::Rule>> rules_before_;
  std::unordered_map<std::string, std::shared_ptr<const routing::Rule>> rules_;
  std::uint64_t version_ = 0;
};

}  // namespace fairlead::runtime
