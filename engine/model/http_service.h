#pragma once

#include "engine/model/sticky.h"
#include "engine/schema/option.h"

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace fairlead::model {

// One server of a load balancer. By label there is exactly one per container: `loadbalancer.server.…`.
struct Server {
  std::string url;                     // "http://10.0.0.2:80"; excludes scheme and port
  std::string scheme;                  // by label: http (default), https, h2c
  std::string port;                    // by label: the container's port
  std::optional<std::int64_t> weight;  // 1 when unset; 0 is never picked
  bool preserve_path = false;

  bool operator==(const Server&) const = default;
};

// Asks each server at an interval whether it is well.
struct HealthCheck {
  std::string scheme;
  std::string mode = "http";  // or grpc
  std::string path;
  std::string method;
  std::int64_t status = 0;  // 0: any of 200..399
  std::int64_t port = 0;    // 0: the server's
  schema::Duration interval = std::chrono::seconds(30);
  std::optional<schema::Duration> unhealthy_interval;  // of servers that are down; the interval when unset
  schema::Duration timeout = std::chrono::seconds(5);
  std::string hostname;
  bool follow_redirects = true;
  std::map<std::string, std::string> headers;

  bool operator==(const HealthCheck&) const = default;
};

// Takes a server out after failures of real requests.
struct PassiveHealthCheck {
  schema::Duration failure_window = std::chrono::seconds(10);
  std::int64_t max_failed_attempts = 1;

  bool operator==(const PassiveHealthCheck&) const = default;
};

struct ResponseForwarding {
  schema::Duration flush_interval = std::chrono::milliseconds(100);  // negative: after each write

  bool operator==(const ResponseForwarding&) const = default;
};

struct LoadBalancer {
  std::string strategy = "wrr";
  std::optional<Sticky> sticky;
  std::vector<Server> servers;
  std::optional<HealthCheck> health_check;
  std::optional<PassiveHealthCheck> passive_health_check;
  bool pass_host_header = true;
  ResponseForwarding response_forwarding;
  std::string servers_transport;  // empty: default@internal

  bool operator==(const LoadBalancer&) const = default;
};

// Makes a composite service report up or down to its parent. It has no options: its presence is the switch.
struct StatusPropagation {
  bool operator==(const StatusPropagation&) const = default;
};

struct WeightedChild {
  std::string name;
  std::int64_t weight = 1;

  bool operator==(const WeightedChild&) const = default;
};

struct Weighted {
  std::vector<WeightedChild> services;
  std::optional<Sticky> sticky;
  std::optional<StatusPropagation> health_check;

  bool operator==(const Weighted&) const = default;
};

struct HighestRandomWeight {
  std::vector<WeightedChild> services;
  std::optional<StatusPropagation> health_check;

  bool operator==(const HighestRandomWeight&) const = default;
};

struct Mirror {
  std::string name;
  std::int64_t percent = 0;  // 0..100

  bool operator==(const Mirror&) const = default;
};

struct Mirroring {
  std::string service;
  bool mirror_body = true;
  std::int64_t max_body_size = -1;  // bytes; -1: no limit
  std::vector<Mirror> mirrors;
  std::optional<StatusPropagation> health_check;

  bool operator==(const Mirroring&) const = default;
};

struct FailoverErrors {
  std::vector<std::string> status;           // "500", "500-599"
  std::int64_t max_request_body_bytes = -1;  // kept for the replay; -1: no limit

  bool operator==(const FailoverErrors&) const = default;
};

struct Failover {
  std::string service;
  std::string fallback;
  std::optional<StatusPropagation> health_check;
  std::optional<FailoverErrors> errors;

  bool operator==(const Failover&) const = default;
};

// Exactly one of the five kinds is set.
struct HttpService {
  std::optional<LoadBalancer> load_balancer;
  std::optional<HighestRandomWeight> highest_random_weight;
  std::optional<Weighted> weighted;
  std::optional<Mirroring> mirroring;
  std::optional<Failover> failover;
  std::vector<std::string> middlewares;

  bool operator==(const HttpService&) const = default;
};

}  // namespace fairlead::model

#include "engine/model/http_service_options.h"  // IWYU pragma: export
