#pragma once

#include "engine/model/api.h"
#include "engine/model/default_transports.h"
#include "engine/model/entry_points.h"
#include "engine/model/misc.h"
#include "engine/model/observability.h"
#include "engine/model/providers.h"
#include "engine/model/resolvers.h"
#include "engine/schema/node.h"
#include "engine/schema/problem.h"

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace fairlead::model {

// The install configuration: what flags, environment and the install file say together.
struct Static {
  std::string config_file;
  int workers = 0;  // 0: one per core
  Global global;
  DefaultServersTransport servers_transport;
  DefaultTcpServersTransport tcp_servers_transport;
  std::map<std::string, EntryPoint> entry_points;
  Providers providers;
  std::optional<Api> api;
  Metrics metrics;
  std::optional<Ping> ping;
  Log log;
  std::optional<AccessLog> access_log;
  std::optional<Tracing> tracing;
  HostResolver host_resolver;
  std::map<std::string, CertificateResolver> certificates_resolvers;
  Experimental experimental;
  Core core;
  schema::Node spiffe;
  std::optional<Ocsp> ocsp;
  Hold hold;
  Reasons reasons;
  Certificates certificates;
  Memory memory;

  bool operator==(const Static&) const = default;

  // The entry points of routers that name none: those with asDefault, else all but `traefik`.
  // UDP routers get the UDP ones, all others the rest.
  std::vector<std::string> default_entry_points(bool udp) const;
};

// Reads the joined tree (schema::merge of file, environment and flags). Each problem of severity Error means
// that the program must not start (or, on a reload, that the change is not applied); others are to be told.
// Adds the entry points that are needed and not declared: `http` on :80 when there is none at all, and
// `traefik` on :8080 when API, ping, metrics or REST are served there.
Static read_static(const schema::Node& root, schema::Problems& problems);

// default@internal of HTTP and TCP services, from the install configuration.
ServersTransport default_servers_transport(const Static& install);
TcpServersTransport default_tcp_servers_transport(const Static& install);

}  // namespace fairlead::model

template <>
inline constexpr auto fairlead::schema::options<fairlead::model::Static> = table(
    option<&model::Static::config_file>("configFile", "Install file to read instead of searching for one."),
    option<&model::Static::workers>("workers", "Threads that serve; 0: one per core.",
                                    {.check = model::worker_count}),
    option<&model::Static::global>("global", "Outgoing calls of the program itself."),
    option<&model::Static::servers_transport>("serversTransport",
                                              "How HTTP servers are connected to by default."),
    option<&model::Static::tcp_servers_transport>("tcpServersTransport",
                                                  "How TCP servers are connected to by default."),
    option<&model::Static::entry_points>("entryPoints", "Where requests are accepted."),
    option<&model::Static::providers>("providers", "Where routers and services come from."),
    option<&model::Static::api>("api", "API and dashboard.", {.allow_empty = true}),
    option<&model::Static::metrics>("metrics", "Metrics."),
    option<&model::Static::ping>("ping", "Answers /ping for health checks.", {.allow_empty = true}),
    option<&model::Static::log>("log", "The program's own log.", {.allow_empty = true}),
    option<&model::Static::access_log>("accessLog", "One line for each request.", {.allow_empty = true}),
    option<&model::Static::tracing>("tracing", "Traces of requests.",
                                    {.allow_empty = true, .tier = Tier::T2}),
    option<&model::Static::host_resolver>("hostResolver", "Resolution of host names in rules.",
                                          {.allow_empty = true, .tier = Tier::T3}),
    option<&model::Static::certificates_resolvers>("certificatesResolvers",
                                                   "Where certificates are obtained."),
    option<&model::Static::experimental>("experimental", "Experiments.", {.tier = Tier::T3}),
    option<&model::Static::core>("core", "Rule language.", {.tier = Tier::T2}),
    option<&model::Static::spiffe>("spiffe", "SPIFFE workload API.",
                                   {.out_of_scope = true, .tier = Tier::T3}),
    option<&model::Static::ocsp>("ocsp", "OCSP stapling.", {.allow_empty = true, .tier = Tier::T3}),
    option<&model::Static::hold>("hold", "Requests held while the last server of a service is replaced."),
    option<&model::Static::reasons>("reasons", "What error pages say."),
    option<&model::Static::certificates>("certificates", "Export of certificates."),
    option<&model::Static::memory>("memory", "Memory for buffered bodies."));
static_assert(fairlead::schema::complete<fairlead::model::Static>());
