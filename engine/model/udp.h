#pragma once

#include "engine/model/http_service.h"
#include "engine/model/reason.h"
#include "engine/schema/option.h"

#include <map>
#include <optional>
#include <string>
#include <vector>

namespace fairlead::model {

// UDP has no rule: one router per entry point.
struct UdpRouter {
  std::vector<std::string> entry_points;
  std::string service;

  bool operator==(const UdpRouter&) const = default;
};

struct UdpServer {
  std::string address;
  std::string port;

  bool operator==(const UdpServer&) const = default;
};

struct UdpLoadBalancer {
  std::vector<UdpServer> servers;

  bool operator==(const UdpLoadBalancer&) const = default;
};

struct UdpWeighted {
  std::vector<WeightedChild> services;

  bool operator==(const UdpWeighted&) const = default;
};

struct UdpService {
  std::optional<UdpLoadBalancer> load_balancer;
  std::optional<UdpWeighted> weighted;

  bool operator==(const UdpService&) const = default;
};

struct Udp {
  std::map<std::string, Element<UdpRouter>> routers;
  std::map<std::string, Element<UdpService>> services;
  std::map<std::string, std::vector<Standing>> standings;

  bool operator==(const Udp&) const = default;
};

}  // namespace fairlead::model

template <>
inline constexpr auto fairlead::schema::options<fairlead::model::UdpRouter> =
    table(option<&model::UdpRouter::entry_points>("entryPoints",
                                                  "UDP entry points that serve this router; all when unset."),
          option<&model::UdpRouter::service>(
              "service", "Service that answers; the only one of the container when unset."));
static_assert(fairlead::schema::complete<fairlead::model::UdpRouter>());

template <>
inline constexpr auto fairlead::schema::options<fairlead::model::UdpServer> =
    table(option<&model::UdpServer::address>("address", "Host and port of the server."),
          option<&model::UdpServer::port>("port", "Port of the container."));
static_assert(fairlead::schema::complete<fairlead::model::UdpServer>());

template <>
inline constexpr auto fairlead::schema::options<fairlead::model::UdpLoadBalancer> =
    table(option<&model::UdpLoadBalancer::servers>("servers", "Servers that answer.", {.alias = "server"}));
static_assert(fairlead::schema::complete<fairlead::model::UdpLoadBalancer>());

template <>
inline constexpr auto fairlead::schema::options<fairlead::model::UdpWeighted> =
    table(option<&model::UdpWeighted::services>("services", "Child services and their shares."));
static_assert(fairlead::schema::complete<fairlead::model::UdpWeighted>());

template <>
inline constexpr auto fairlead::schema::options<fairlead::model::UdpService> =
    table(option<&model::UdpService::load_balancer>("loadBalancer", "Balances over servers."),
          option<&model::UdpService::weighted>("weighted", "Balances over services, by weight."));
static_assert(fairlead::schema::complete<fairlead::model::UdpService>());
