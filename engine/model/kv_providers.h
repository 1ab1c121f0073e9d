#pragma once

#include "engine/model/client_tls.h"
#include "engine/schema/option.h"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace fairlead::model {

struct RedisSentinel {
  std::string master_name;
  std::string username;
  std::string password;
  bool latency_strategy = false;
  bool random_strategy = false;
  bool replica_strategy = false;
  bool use_disconnected_replicas = false;

  bool operator==(const RedisSentinel&) const = default;
};

struct RedisProvider {
  std::string root_key = "traefik";
  std::vector<std::string> endpoints = {"127.0.0.1:6379"};
  std::optional<ClientTls> tls;
  std::string username;
  std::string password;
  std::int64_t db = 0;
  std::optional<RedisSentinel> sentinel;

  bool operator==(const RedisProvider&) const = default;
};

struct EtcdProvider {
  std::string root_key = "traefik";
  std::vector<std::string> endpoints = {"127.0.0.1:2379"};
  std::optional<ClientTls> tls;
  std::string username;
  std::string password;

  bool operator==(const EtcdProvider&) const = default;
};

struct ConsulProvider {
  std::string root_key = "traefik";
  std::vector<std::string> endpoints = {"127.0.0.1:8500"};
  std::string token;
  std::optional<ClientTls> tls;
  std::vector<std::string> namespaces;

  bool operator==(const ConsulProvider&) const = default;
};

struct ZooKeeperProvider {
  std::string root_key = "traefik";
  std::vector<std::string> endpoints = {"127.0.0.1:2181"};
  std::string username;
  std::string password;

  bool operator==(const ZooKeeperProvider&) const = default;
};

}  // namespace fairlead::model

template <>
inline constexpr auto fairlead::schema::options<fairlead::model::RedisSentinel> = table(
    option<&model::RedisSentinel::master_name>("masterName", "Name of the master."),
    option<&model::RedisSentinel::username>("username", "User name for the sentinels."),
    option<&model::RedisSentinel::password>("password", "Password for the sentinels.", {.secret = true}),
    option<&model::RedisSentinel::latency_strategy>("latencyStrategy", "Read from the nearest node."),
    option<&model::RedisSentinel::random_strategy>("randomStrategy", "Read from any node."),
    option<&model::RedisSentinel::replica_strategy>("replicaStrategy", "Read from replicas."),
    option<&model::RedisSentinel::use_disconnected_replicas>(
        "useDisconnectedReplicas", "Also read from replicas that lost their master."));
static_assert(fairlead::schema::complete<fairlead::model::RedisSentinel>());

template <>
inline constexpr auto fairlead::schema::options<fairlead::model::RedisProvider> =
    table(option<&model::RedisProvider::root_key>("rootKey", "Key under which the configuration lies."),
          option<&model::RedisProvider::endpoints>("endpoints", "Addresses of the store."),
          option<&model::RedisProvider::tls>("tls", "TLS toward the store."),
          option<&model::RedisProvider::username>("username", "User name for the store."),
          option<&model::RedisProvider::password>("password", "Password for the store.", {.secret = true}),
          option<&model::RedisProvider::db>("db", "Number of the database."),
          option<&model::RedisProvider::sentinel>("sentinel", "Finds the store through Redis sentinels."));
static_assert(fairlead::schema::complete<fairlead::model::RedisProvider>());

template <>
inline constexpr auto fairlead::schema::options<fairlead::model::EtcdProvider> =
    table(option<&model::EtcdProvider::root_key>("rootKey", "Key under which the configuration lies."),
          option<&model::EtcdProvider::endpoints>("endpoints", "Addresses of the store."),
          option<&model::EtcdProvider::tls>("tls", "TLS toward the store."),
          option<&model::EtcdProvider::username>("username", "User name for the store."),
          option<&model::EtcdProvider::password>("password", "Password for the store.", {.secret = true}));
static_assert(fairlead::schema::complete<fairlead::model::EtcdProvider>());

template <>
inline constexpr auto fairlead::schema::options<fairlead::model::ConsulProvider> =
    table(option<&model::ConsulProvider::root_key>("rootKey", "Key under which the configuration lies."),
          option<&model::ConsulProvider::endpoints>("endpoints", "Addresses of the store."),
          option<&model::ConsulProvider::token>("token", "Access token.", {.secret = true}),
          option<&model::ConsulProvider::tls>("tls", "TLS toward the store."),
          option<&model::ConsulProvider::namespaces>("namespaces", "Namespaces read."));
static_assert(fairlead::schema::complete<fairlead::model::ConsulProvider>());

template <>
inline constexpr auto fairlead::schema::options<fairlead::model::ZooKeeperProvider> = table(
    option<&model::ZooKeeperProvider::root_key>("rootKey", "Key under which the configuration lies."),
    option<&model::ZooKeeperProvider::endpoints>("endpoints", "Addresses of the store."),
    option<&model::ZooKeeperProvider::username>("username", "User name for the store."),
    option<&model::ZooKeeperProvider::password>("password", "Password for the store.", {.secret = true}));
static_assert(fairlead::schema::complete<fairlead::model::ZooKeeperProvider>());
