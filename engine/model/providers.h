#pragma once

#include "engine/model/client_tls.h"
#include "engine/model/kv_providers.h"
#include "engine/schema/option.h"

#include <algorithm>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace fairlead::model {

inline constexpr const char* kDefaultRule = "Host(`{{ normalize .Name }}`)";

// A further engine beside the provider's own.
struct DockerHost {
  std::string endpoint;
  std::optional<ClientTls> tls;
  std::string network;

  bool operator==(const DockerHost&) const = default;
};

struct DockerProvider {
  bool exposed_by_default = true;
  std::string constraints;
  bool allow_empty_services = false;
  std::string network;
  std::string default_rule = kDefaultRule;
  std::string username;
  std::string password;
  std::optional<std::string> endpoint;  // unset: DOCKER_HOST, else unix:///var/run/docker.sock
  std::optional<ClientTls> tls;
  schema::Duration http_client_timeout{0};  // 0: none; does not cut the event stream
  bool use_bind_port_ip = false;
  bool watch = true;
  bool forget_stopped = false;
  schema::Duration remember_removed = std::chrono::seconds(30);
  std::map<std::string, DockerHost> hosts;

  bool operator==(const DockerProvider&) const = default;
};

struct SwarmProvider {
  bool exposed_by_default = true;
  std::string constraints;
  bool allow_empty_services = false;
  std::string network;
  std::string default_rule = kDefaultRule;
  std::string username;
  std::string password;
  std::optional<std::string> endpoint;
  std::optional<ClientTls> tls;
  schema::Duration http_client_timeout{0};
  bool use_bind_port_ip = false;
  bool watch = true;
  schema::Duration refresh_seconds = std::chrono::seconds(15);

  bool operator==(const SwarmProvider&) const = default;
};

struct FileProvider {
  std::string directory;  // wins over filename
  bool watch = true;
  std::string filename;
  bool debug_log_generated_template = false;

  bool operator==(const FileProvider&) const = default;
};

struct HttpProvider {
  std::string endpoint;
  schema::Duration poll_interval = std::chrono::seconds(5);
  schema::Duration poll_timeout = std::chrono::seconds(5);
  std::map<std::string, std::string> headers;
  std::optional<ClientTls> tls;
  std::int64_t max_response_body_size = -1;  // bytes; -1: no limit

  bool operator==(const HttpProvider&) const = default;
};

struct RestProvider {
  bool insecure = false;

  bool operator==(const RestProvider&) const = default;
};

struct Providers {
  schema::Duration throttle_duration =
      std::chrono::milliseconds(100);  // quiet time waited for; a storm ends at 1 s
  // Of routers with equal priority those of the earlier provider come first; those of others, last.
  std::vector<std::string> precedence = {"kubernetesgateway",
                                         "kubernetescrd",
                                         "kubernetes",
                                         "kubernetesingressnginx",
                                         "swarm",
                                         "docker",
                                         "file",
                                         "redis",
                                         "knative",
                                         "consul",
                                         "consulcatalog",
                                         "nomad",
                                         "etcd",
                                         "ecs",
                                         "http",
                                         "zookeeper",
                                         "rest"};
  std::optional<DockerProvider> docker;
  std::optional<SwarmProvider> swarm;
  std::optional<FileProvider> file;
  std::optional<HttpProvider> http;
  std::optional<RestProvider> rest;
  std::optional<RedisProvider> redis;
  std::optional<EtcdProvider> etcd;
  std::optional<ConsulProvider> consul;
  std::optional<ZooKeeperProvider> zoo_keeper;
  schema::Node kubernetes_ingress;
  schema::Node kubernetes_ingress_nginx;
  schema::Node kubernetes_crd;
  schema::Node kubernetes_gateway;
  schema::Node knative;
  schema::Node consul_catalog;
  schema::Node nomad;
  schema::Node ecs;
  schema::Node plugin;

  bool operator==(const Providers&) const = default;

  // Its place in `precedence`.
  std::uint32_t precedence_of(std::string_view provider) const {
    const auto at = std::ranges::find_if(precedence, [provider](const std::string& name) {
      return schema::equal_ignoring_case(name, provider);
    });
    return static_cast<std::uint32_t>(at - precedence.begin());
  }
};

}  // namespace fairlead::model

#include "engine/model/providers_options.h"  // IWYU pragma: export
