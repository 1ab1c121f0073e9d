#pragma once

#include "engine/model/servers_transport.h"
#include "engine/schema/option.h"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

// What services use that name no serversTransport: `default@internal`.
namespace fairlead::model {

struct DefaultForwardingTimeouts {
  std::optional<schema::Duration> dial_timeout;  // unset: 5 s toward container addresses, 30 s elsewhere
  schema::Duration response_header_timeout{0};
  schema::Duration idle_conn_timeout = std::chrono::seconds(90);

  bool operator==(const DefaultForwardingTimeouts&) const = default;
};

struct DefaultServersTransport {
  bool insecure_skip_verify = false;
  std::vector<std::string> root_cas;
  std::int64_t max_idle_conns_per_host = 200;
  DefaultForwardingTimeouts forwarding_timeouts;
  schema::Node spiffe;

  bool operator==(const DefaultServersTransport&) const = default;
};

struct DefaultTcpTls {
  bool insecure_skip_verify = false;
  std::vector<std::string> root_cas;
  schema::Node spiffe;

  bool operator==(const DefaultTcpTls&) const = default;
};

struct DefaultTcpServersTransport {
  schema::Duration dial_keep_alive = std::chrono::seconds(15);
  std::optional<schema::Duration> dial_timeout;  // unset: 5 s toward container addresses, 30 s elsewhere
  schema::Duration termination_delay = std::chrono::milliseconds(100);  // negative: for ever
  std::optional<DefaultTcpTls> tls;

  bool operator==(const DefaultTcpServersTransport&) const = default;
};

}  // namespace fairlead::model

template <>
inline constexpr auto fairlead::schema::options<fairlead::model::DefaultForwardingTimeouts> =
    table(option<&model::DefaultForwardingTimeouts::dial_timeout>(
              "dialTimeout",
              "Longest wait for a connection; unset: 5s for container addresses, 30s elsewhere; 0: none."),
          option<&model::DefaultForwardingTimeouts::response_header_timeout>(
              "responseHeaderTimeout", "Longest wait for the head of the answer; 0: none."),
          option<&model::DefaultForwardingTimeouts::idle_conn_timeout>(
              "idleConnTimeout", "How long an idle connection is kept; 0: for ever."));
static_assert(fairlead::schema::complete<fairlead::model::DefaultForwardingTimeouts>());

template <>
inline constexpr auto fairlead::schema::options<fairlead::model::DefaultServersTransport> = table(
    option<&model::DefaultServersTransport::insecure_skip_verify>("insecureSkipVerify",
                                                                  "Do not verify servers' certificates."),
    option<&model::DefaultServersTransport::root_cas>(
        "rootCAs", "Authorities trusted instead of the system's: paths or PEM text."),
    option<&model::DefaultServersTransport::max_idle_conns_per_host>(
        "maxIdleConnsPerHost", "Idle connections kept per server; 0: 2; negative: none is reused."),
    option<&model::DefaultServersTransport::forwarding_timeouts>("forwardingTimeouts",
                                                                 "Time limits toward servers."),
    option<&model::DefaultServersTransport::spiffe>(
        "spiffe", "Verification by SPIFFE.",
        {.out_of_scope = true,
         .refusal =
             "is not supported: services with https servers and no serversTransport of their own answer "
             "503; remove it to verify servers by certificate authorities",
         .tier = Tier::T3}));
static_assert(fairlead::schema::complete<fairlead::model::DefaultServersTransport>());

template <>
inline constexpr auto fairlead::schema::options<fairlead::model::DefaultTcpTls> = table(
    option<&model::DefaultTcpTls::insecure_skip_verify>("insecureSkipVerify",
                                                        "Do not verify servers' certificates."),
    option<&model::DefaultTcpTls::root_cas>(
        "rootCAs", "Authorities trusted instead of the system's: paths or PEM text."),
    option<&model::DefaultTcpTls::spiffe>(
        "spiffe", "Verification by SPIFFE.",
        {.out_of_scope = true,
         .refusal = "is not supported: connections to servers with tls and no serversTransport of their own "
                    "fail; remove it to verify servers by certificate authorities",
         .tier = Tier::T3}));
static_assert(fairlead::schema::complete<fairlead::model::DefaultTcpTls>());

template <>
inline constexpr auto fairlead::schema::options<fairlead::model::DefaultTcpServersTransport> = table(
    option<&model::DefaultTcpServersTransport::dial_keep_alive>(
        "dialKeepAlive", "Time between keep-alive probes; negative: off."),
    option<&model::DefaultTcpServersTransport::dial_timeout>(
        "dialTimeout",
        "Longest wait for a connection; unset: 5s for container addresses, 30s elsewhere; 0: none."),
    option<&model::DefaultTcpServersTransport::termination_delay>(
        "terminationDelay",
        "How long the other direction may finish after one side ended; negative: for ever.",
        {.tier = Tier::T3}),
    option<&model::DefaultTcpServersTransport::tls>("tls", "TLS toward servers.", {.allow_empty = true}));
static_assert(fairlead::schema::complete<fairlead::model::DefaultTcpServersTransport>());
