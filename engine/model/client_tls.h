#pragma once

#include "engine/schema/option.h"

#include <string>

namespace fairlead::model {

// TLS of a client of Fairlead's own: toward an engine, a store, a collector. Each of ca, cert and key is a
// path or PEM text.
struct ClientTls {
  std::string ca;
  std::string cert;
  std::string key;
  bool insecure_skip_verify = false;

  bool operator==(const ClientTls&) const = default;
};

}  // namespace fairlead::model

template <>
inline constexpr auto fairlead::schema::options<fairlead::model::ClientTls> = table(
    option<&model::ClientTls::ca>("ca", "Authority trusted instead of the system's: a path or PEM text."),
    option<&model::ClientTls::cert>("cert", "Client certificate: a path or PEM text."),
    option<&model::ClientTls::key>("key", "Key of the client certificate: a path or PEM text.",
                                   {.secret = true}),
    option<&model::ClientTls::insecure_skip_verify>("insecureSkipVerify",
                                                    "Do not verify the server's certificate."));
static_assert(fairlead::schema::complete<fairlead::model::ClientTls>());
