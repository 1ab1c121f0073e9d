#pragma once

#include "engine/model/otlp.h"
#include "engine/schema/option.h"

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace fairlead::model {

struct Log {
  std::string level = "INFO";  // any case
  std::string format = "common";
  bool no_color = false;
  std::string file_path;         // empty: stdout
  std::int64_t max_size = 0;     // MB; 0: 100
  std::int64_t max_age = 0;      // days; 0: kept
  std::int64_t max_backups = 0;  // 0: all kept
  bool compress = false;
  std::optional<OtlpLog> otlp;

  bool operator==(const Log&) const = default;
};

struct AccessLogFilters {
  std::vector<std::string> status_codes;
  bool retry_attempts = false;
  schema::Duration min_duration{0};

  bool operator==(const AccessLogFilters&) const = default;
};

struct AccessLogHeaders {
  std::string default_mode = "drop";
  std::map<std::string, std::string> names;

  bool operator==(const AccessLogHeaders&) const = default;
};

struct AccessLogQuery {
  std::string default_mode = "keep";

  bool operator==(const AccessLogQuery&) const = default;
};

struct AccessLogFields {
  std::string default_mode = "keep";
  std::map<std::string, std::string> names;
  AccessLogHeaders headers;
  AccessLogQuery query_parameters;

  bool operator==(const AccessLogFields&) const = default;
};

struct AccessLog {
  std::string file_path;  // empty: stdout
  std::string format = "common";
  AccessLogFilters filters;
  AccessLogFields fields;
  std::int64_t buffering_size = 0;  // lines
  bool add_internals = false;
  bool dual_output = false;
  std::optional<OtlpLog> otlp;

  bool operator==(const AccessLog&) const = default;
};

struct Prometheus {
  std::vector<double> buckets = {0.1, 0.3, 1.2, 5.0};  // s
  bool add_entry_points_labels = true;
  bool add_routers_labels = false;
  bool add_services_labels = true;
  std::string entry_point = "traefik";
  bool manual_routing = false;
  std::map<std::string, std::string> header_labels;  // label to header name

  bool operator==(const Prometheus&) const = default;
};

struct OtlpMetrics {
  std::optional<OtlpGrpc> grpc;
  std::optional<OtlpHttp> http;
  bool add_entry_points_labels = true;
  bool add_routers_labels = false;
  bool add_services_labels = true;
  std::vector<double> explicit_boundaries = {.005, .01, .025, .05, .075, .1,  .25,
                                             .5,   .75, 1,    2.5, 5,    7.5, 10};
  schema::Duration push_interval = std::chrono::seconds(10);
  std::string service_name = "traefik";
  std::map<std::string, std::string> resource_attributes;

  bool operator==(const OtlpMetrics&) const = default;
};

struct Metrics {
  bool add_internals = false;
  std::optional<Prometheus> prometheus;
  std::optional<OtlpMetrics> otlp;
  schema::Node datadog;
  schema::Node stats_d;
  schema::Node influx_db2;

  bool operator==(const Metrics&) const = default;
};

struct Tracing {
  std::string service_name = "traefik";
  std::map<std::string, std::string> resource_attributes;
  std::map<std::string, std::string> global_attributes;
  std::vector<std::string> captured_request_headers;
  std::vector<std::string> captured_response_headers;
  std::vector<std::string> safe_query_params;
  double sample_rate = 1.0;
  bool add_internals = false;
  OtlpTracing otlp{.grpc = std::nullopt, .http = OtlpHttp{}};

  bool operator==(const Tracing&) const = default;
};

}  // namespace fairlead::model

#include "engine/model/observability_options.h"  // IWYU pragma: export
