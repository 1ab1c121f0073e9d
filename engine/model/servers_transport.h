#pragma once

#include "engine/model/checks.h"
#include "engine/schema/option.h"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace fairlead::model {

inline constexpr const char* kTlsVersions = "VersionTLS10|VersionTLS11|VersionTLS12|VersionTLS13";

// A certificate and its key, each a path or PEM text.
struct KeyPair {
  std::string cert_file;
  std::string key_file;

  bool operator==(const KeyPair&) const = default;
};

struct PeerSan {
  std::string type;  // DNSName, URI
  std::string value;

  bool operator==(const PeerSan&) const = default;
};

struct Spiffe {
  std::vector<std::string> ids;
  std::string trust_domain;

  bool operator==(const Spiffe&) const = default;
};

struct ForwardingTimeouts {
  std::optional<schema::Duration>
      dial_timeout;  // unset: 5 s toward container addresses, 30 s elsewhere; 0: none
  schema::Duration response_header_timeout = std::chrono::seconds(0);  // 0: none
  schema::Duration idle_conn_timeout = std::chrono::seconds(90);       // 0: none
  schema::Duration read_idle_timeout = std::chrono::seconds(0);  // HTTP/2 PING after this silence; 0: off
  schema::Duration ping_timeout = std::chrono::seconds(15);

  bool operator==(const ForwardingTimeouts&) const = default;
};

struct ProxyProtocolOut {
  std::int64_t version = 2;

  bool operator==(const ProxyProtocolOut&) const = default;
};

// How HTTP servers are connected to.
struct ServersTransport {
  std::string server_name;
  bool insecure_skip_verify = false;
  std::vector<std::string> root_cas;
  std::vector<KeyPair> certificates;
  std::vector<std::string> cipher_suites;
  std::string min_version;
  std::string max_version;
  std::int64_t max_idle_conns_per_host = 0;  // 0: 2; negative: connections are not reused
  ForwardingTimeouts forwarding_timeouts;
  bool disable_http2 = false;
  std::string peer_cert_uri;
  std::vector<PeerSan> peer_cert_sans;
  std::optional<Spiffe> spiffe;
  std::optional<ProxyProtocolOut> proxy_protocol;

  bool operator==(const ServersTransport&) const = default;
};

struct TcpClientTls {
  std::string server_name;
  bool insecure_skip_verify = false;
  std::vector<std::string> root_cas;
  std::vector<KeyPair> certificates;
  std::string peer_cert_uri;
  std::vector<PeerSan> peer_cert_sans;
  std::optional<Spiffe> spiffe;

  bool operator==(const TcpClientTls&) const = default;
};

// How TCP servers are connected to.
struct TcpServersTransport {
  schema::Duration dial_keep_alive = std::chrono::seconds(15);  // 0: 15 s; negative: off
  std::optional<schema::Duration>
      dial_timeout;  // unset: 5 s toward container addresses, 30 s elsewhere; 0: none
  std::optional<ProxyProtocolOut> proxy_protocol;
  schema::Duration termination_delay = std::chrono::milliseconds(100);  // negative: for ever
  std::optional<TcpClientTls> tls;

  bool operator==(const TcpServersTransport&) const = default;
};

}  // namespace fairlead::model

template <>
inline constexpr auto fairlead::schema::options<fairlead::model::KeyPair> =
    table(option<&model::KeyPair::cert_file>("certFile", "Certificate chain: a path or PEM text."),
          option<&model::KeyPair::key_file>("keyFile", "Private key: a path or PEM text.", {.secret = true}));
static_assert(fairlead::schema::complete<fairlead::model::KeyPair>());

template <>
inline constexpr auto fairlead::schema::options<fairlead::model::PeerSan> = table(
    option<&model::PeerSan::type>("type", "Kind of the name: DNSName or URI.", {.choices = "DNSName|URI"}),
    option<&model::PeerSan::value>("value", "The name."));
static_assert(fairlead::schema::complete<fairlead::model::PeerSan>());

template <>
inline constexpr auto fairlead::schema::options<fairlead::model::Spiffe> =
    table(option<&model::Spiffe::ids>("ids", "SPIFFE IDs accepted."),
          option<&model::Spiffe::trust_domain>("trustDomain", "SPIFFE trust domain accepted."));
static_assert(fairlead::schema::complete<fairlead::model::Spiffe>());

template <>
inline constexpr auto fairlead::schema::options<fairlead::model::ForwardingTimeouts> =
    table(option<&model::ForwardingTimeouts::dial_timeout>(
              "dialTimeout",
              "Longest wait for a connection; unset: 5s for container addresses, 30s elsewhere; 0: none."),
          option<&model::ForwardingTimeouts::response_header_timeout>(
              "responseHeaderTimeout", "Longest wait for the head of the answer; 0: none."),
          option<&model::ForwardingTimeouts::idle_conn_timeout>(
              "idleConnTimeout", "How long an idle connection is kept; 0: for ever."),
          option<&model::ForwardingTimeouts::read_idle_timeout>(
              "readIdleTimeout", "HTTP/2: silence after which a PING is sent; 0: never."),
          option<&model::ForwardingTimeouts::ping_timeout>("pingTimeout",
                                                           "HTTP/2: longest wait for the PING's answer."));
static_assert(fairlead::schema::complete<fairlead::model::ForwardingTimeouts>());

template <>
inline constexpr auto fairlead::schema::options<fairlead::model::ProxyProtocolOut> =
    table(option<&model::ProxyProtocolOut::version>("version", "Version of the PROXY protocol: 1 or 2.",
                                                    {.check = model::proxy_protocol_version}));
static_assert(fairlead::schema::complete<fairlead::model::ProxyProtocolOut>());

template <>
inline constexpr auto fairlead::schema::options<fairlead::model::ServersTransport> = table(
    option<&model::ServersTransport::server_name>("serverName", "Name sent as SNI and verified."),
    option<&model::ServersTransport::insecure_skip_verify>("insecureSkipVerify",
                                                           "Do not verify the server's certificate."),
    option<&model::ServersTransport::root_cas>("rootCAs",
                                               "Authorities trusted instead of the system's: paths or PEM."),
    option<&model::ServersTransport::certificates>("certificates", "Client certificates."),
    option<&model::ServersTransport::cipher_suites>("cipherSuites", "Cipher suites up to TLS 1.2."),
    option<&model::ServersTransport::min_version>(
        "minVersion", "Lowest TLS version: VersionTLS10 to VersionTLS13.", {.choices = model::kTlsVersions}),
    option<&model::ServersTransport::max_version>(
        "maxVersion", "Highest TLS version: VersionTLS10 to VersionTLS13.", {.choices = model::kTlsVersions}),
    option<&model::ServersTransport::max_idle_conns_per_host>(
        "maxIdleConnsPerHost", "Idle connections kept per server; 0: 2; negative: none is reused."),
    option<&model::ServersTransport::forwarding_timeouts>("forwardingTimeouts",
                                                          "Time limits toward servers."),
    option<&model::ServersTransport::disable_http2>("disableHTTP2", "Do not offer HTTP/2 to https servers."),
    option<&model::ServersTransport::peer_cert_uri>("peerCertURI", "URI the server's certificate must carry.",
                                                    {.deprecated = true, .replaced_by = "peerCertSANs"}),
    option<&model::ServersTransport::peer_cert_sans>("peerCertSANs",
                                                     "Names the server's certificate may carry."),
    option<&model::ServersTransport::spiffe>("spiffe", "Verification by SPIFFE.", {.allow_empty = true}),
    option<&model::ServersTransport::proxy_protocol>(
        "proxyProtocol", "Announce the client by the PROXY protocol; each request gets its own connection.",
        {.allow_empty = true}));
static_assert(fairlead::schema::complete<fairlead::model::ServersTransport>());

template <>
inline constexpr auto fairlead::schema::options<fairlead::model::TcpClientTls> = table(
    option<&model::TcpClientTls::server_name>("serverName", "Name (or address) sent as SNI and verified."),
    option<&model::TcpClientTls::insecure_skip_verify>("insecureSkipVerify",
                                                       "Do not verify the server's certificate."),
    option<&model::TcpClientTls::root_cas>("rootCAs",
                                           "Authorities trusted instead of the system's: paths or PEM."),
    option<&model::TcpClientTls::certificates>("certificates", "Client certificates."),
    option<&model::TcpClientTls::peer_cert_uri>("peerCertURI", "URI the server's certificate must carry.",
                                                {.deprecated = true, .replaced_by = "peerCertSANs"}),
    option<&model::TcpClientTls::peer_cert_sans>("peerCertSANs", "Names the server's certificate may carry."),
    option<&model::TcpClientTls::spiffe>("spiffe", "Verification by SPIFFE.", {.allow_empty = true}));
static_assert(fairlead::schema::complete<fairlead::model::TcpClientTls>());

template <>
inline constexpr auto fairlead::schema::options<fairlead::model::TcpServersTransport> =
    table(option<&model::TcpServersTransport::dial_keep_alive>(
              "dialKeepAlive", "Time between keep-alive probes; negative: off."),
          option<&model::TcpServersTransport::dial_timeout>(
              "dialTimeout",
              "Longest wait for a connection; unset: 5s for container addresses, 30s elsewhere; 0: none."),
          option<&model::TcpServersTransport::proxy_protocol>(
              "proxyProtocol", "Announce the client by the PROXY protocol.", {.allow_empty = true}),
          option<&model::TcpServersTransport::termination_delay>(
              "terminationDelay",
              "How long the other direction may finish after one side ended; negative: for ever."),
          option<&model::TcpServersTransport::tls>("tls", "TLS toward the servers.", {.allow_empty = true}));
static_assert(fairlead::schema::complete<fairlead::model::TcpServersTransport>());
