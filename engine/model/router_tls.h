#pragma once

#include "engine/schema/option.h"

#include <string>
#include <vector>

namespace fairlead::model {

// One certificate's names: the common name and further ones.
struct Domain {
  std::string main;
  std::vector<std::string> sans;

  bool operator==(const Domain&) const = default;
};

// TLS of an HTTP router, and the default of an entry point. Its presence makes the router HTTPS-only.
struct RouterTls {
  std::string options;
  std::string cert_resolver;
  std::vector<Domain> domains;

  bool operator==(const RouterTls&) const = default;
};

struct TcpRouterTls {
  bool passthrough = false;
  std::string options;
  std::string cert_resolver;
  std::vector<Domain> domains;

  bool operator==(const TcpRouterTls&) const = default;
};

}  // namespace fairlead::model

template <>
inline constexpr auto fairlead::schema::options<fairlead::model::Domain> =
    table(option<&model::Domain::main>("main", "Name of the certificate (its common name)."),
          option<&model::Domain::sans>(
              "sans", "Further names on the same certificate; a wildcard needs a DNS challenge."));
static_assert(fairlead::schema::complete<fairlead::model::Domain>());

template <>
inline constexpr auto fairlead::schema::options<fairlead::model::RouterTls> =
    table(option<&model::RouterTls::options>(
              "options", "TLS options used for the hosts of the rule; `default` when unset."),
          option<&model::RouterTls::cert_resolver>("certResolver",
                                                   "Certificate resolver that obtains the certificate."),
          option<&model::RouterTls::domains>("domains",
                                             "Names to obtain; by default those of Host() in the rule."));
static_assert(fairlead::schema::complete<fairlead::model::RouterTls>());

template <>
inline constexpr auto fairlead::schema::options<fairlead::model::TcpRouterTls> =
    table(option<&model::TcpRouterTls::passthrough>("passthrough",
                                                    "Forward the TLS bytes unopened, routed by SNI."),
          option<&model::TcpRouterTls::options>(
              "options", "TLS options used for the hosts of the rule; `default` when unset."),
          option<&model::TcpRouterTls::cert_resolver>("certResolver",
                                                      "Certificate resolver that obtains the certificate."),
          option<&model::TcpRouterTls::domains>(
              "domains", "Names to obtain; by default those of HostSNI() in the rule."));
static_assert(fairlead::schema::complete<fairlead::model::TcpRouterTls>());
