#pragma once

#include "engine/model/http.h"
#include "engine/model/router_tls.h"
#include "engine/model/servers_transport.h"
#include "engine/schema/option.h"

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace fairlead::model {

struct TcpRouter {
  std::vector<std::string> entry_points;
  std::vector<std::string> middlewares;
  std::string service;
  std::string rule;
  std::string rule_syntax;
  std::int64_t priority = 0;  // 0: length of the rule; HostSNI(`*`) alone counts as -1
  std::optional<TcpRouterTls> tls;

  bool operator==(const TcpRouter&) const = default;
};

struct TcpServer {
  std::string address;  // "10.0.0.2:5432"
  std::string port;     // by label: the container's port
  bool tls = false;

  bool operator==(const TcpServer&) const = default;
};

struct TcpHealthCheck {
  std::int64_t port = 0;  // 0: the server's
  std::string send;
  std::string expect;
  schema::Duration interval = std::chrono::seconds(30);
  std::optional<schema::Duration> unhealthy_interval;
  schema::Duration timeout = std::chrono::seconds(5);

  bool operator==(const TcpHealthCheck&) const = default;
};

struct TcpLoadBalancer {
  std::vector<TcpServer> servers;
  std::string servers_transport;
  std::optional<ProxyProtocolOut> proxy_protocol;
  std::optional<std::int64_t> termination_delay;  // ms; negative: for ever
  std::optional<TcpHealthCheck> health_check;

  bool operator==(const TcpLoadBalancer&) const = default;
};

struct TcpWeighted {
  std::vector<WeightedChild> services;
  std::optional<StatusPropagation> health_check;

  bool operator==(const TcpWeighted&) const = default;
};

struct TcpService {
  std::optional<TcpLoadBalancer> load_balancer;
  std::optional<TcpWeighted> weighted;

  bool operator==(const TcpService&) const = default;
};

struct Tcp {
  std::map<std::string, Element<TcpRouter>> routers;
  std::map<std::string, Element<TcpService>> services;
  std::map<std::string, Element<Middleware>> middlewares;
  std::map<std::string, Element<TcpServersTransport>> servers_transports;
  std::map<std::string, std::vector<Standing>> standings;

  bool operator==(const Tcp&) const = default;
};

}  // namespace fairlead::model

template <>
inline constexpr auto fairlead::schema::options<fairlead::model::TcpRouter> = table(
    option<&model::TcpRouter::entry_points>("entryPoints",
                                            "Entry points that serve this router; the default ones "
                                            "when unset."),
    option<&model::TcpRouter::middlewares>("middlewares", "TCP middlewares in the order they are executed."),
    option<&model::TcpRouter::service>("service",
                                       "Service that answers; the only one of the container when unset."),
    option<&model::TcpRouter::rule>("rule", "Which connections the router takes."),
    option<&model::TcpRouter::rule_syntax>(
        "ruleSyntax", "Rule language: v3, v2 or default.",
        {.deprecated = true, .replaced_by = "a rule of the v3 language, and leave this out"}),
    option<&model::TcpRouter::priority>("priority", "Higher comes first; 0 means the length of the rule."),
    option<&model::TcpRouter::tls>("tls", "Takes TLS connections.", {.allow_empty = true}));
static_assert(fairlead::schema::complete<fairlead::model::TcpRouter>());

template <>
inline constexpr auto fairlead::schema::options<fairlead::model::TcpServer> =
    table(option<&model::TcpServer::address>("address", "Host and port of the server."),
          option<&model::TcpServer::port>("port", "Port of the container."),
          option<&model::TcpServer::tls>("tls", "Speak TLS to the server."));
static_assert(fairlead::schema::complete<fairlead::model::TcpServer>());

template <>
inline constexpr auto fairlead::schema::options<fairlead::model::TcpHealthCheck> = table(
    option<&model::TcpHealthCheck::port>("port", "Replaces the server's port."),
    option<&model::TcpHealthCheck::send>("send", "Bytes sent after connecting, at most 65535."),
    option<&model::TcpHealthCheck::expect>("expect", "Bytes the server must answer, at most 65535."),
    option<&model::TcpHealthCheck::interval>("interval", "Time between two checks of a healthy server."),
    option<&model::TcpHealthCheck::unhealthy_interval>("unhealthyInterval",
                                                       "Time between two checks of a server that is down."),
    option<&model::TcpHealthCheck::timeout>("timeout", "Longest wait for connection and answer."));
static_assert(fairlead::schema::complete<fairlead::model::TcpHealthCheck>());

template <>
inline constexpr auto fairlead::schema::options<fairlead::model::TcpLoadBalancer> = table(
    option<&model::TcpLoadBalancer::servers>("servers", "Servers that answer.", {.alias = "server"}),
    option<&model::TcpLoadBalancer::servers_transport>("serversTransport", "How servers are connected to."),
    option<&model::TcpLoadBalancer::proxy_protocol>(
        "proxyProtocol", "Announce the client by the PROXY protocol.",
        {.allow_empty = true, .deprecated = true, .replaced_by = "proxyProtocol of a serversTransport"}),
    option<&model::TcpLoadBalancer::termination_delay>(
        "terminationDelay", "Milliseconds the other direction may finish in; negative: for ever.",
        {.deprecated = true, .replaced_by = "terminationDelay of a serversTransport"}),
    option<&model::TcpLoadBalancer::health_check>(
        "healthCheck", "Asks servers at an interval whether they are well.", {.allow_empty = true}));
static_assert(fairlead::schema::complete<fairlead::model::TcpLoadBalancer>());

template <>
inline constexpr auto fairlead::schema::options<fairlead::model::TcpWeighted> =
    table(option<&model::TcpWeighted::services>("services", "Child services and their shares."),
          option<&model::TcpWeighted::health_check>(
              "healthCheck", "Report the children's status to the parent.", {.allow_empty = true}));
static_assert(fairlead::schema::complete<fairlead::model::TcpWeighted>());

template <>
inline constexpr auto fairlead::schema::options<fairlead::model::TcpService> =
    table(option<&model::TcpService::load_balancer>("loadBalancer", "Balances over servers."),
          option<&model::TcpService::weighted>("weighted", "Balances over services, by weight."));
static_assert(fairlead::schema::complete<fairlead::model::TcpService>());
