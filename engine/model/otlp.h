#pragma once

#include "engine/model/client_tls.h"
#include "engine/schema/option.h"

#include <map>
#include <optional>
#include <string>

// The OTLP exporter block that logs, metrics and traces share.
namespace fairlead::model {

struct OtlpHttp {
  std::string endpoint = "https://localhost:4318";  // the path of the signal is added when it has none
  std::optional<ClientTls> tls;
  std::map<std::string, std::string> headers;

  bool operator==(const OtlpHttp&) const = default;
};

struct OtlpGrpc {
  std::string endpoint = "localhost:4317";
  bool insecure = false;
  std::optional<ClientTls> tls;
  std::map<std::string, std::string> headers;

  bool operator==(const OtlpGrpc&) const = default;
};

struct OtlpLog {
  std::string service_name = "traefik";
  std::map<std::string, std::string> resource_attributes;
  std::optional<OtlpGrpc> grpc;  // its presence selects gRPC
  std::optional<OtlpHttp> http;

  bool operator==(const OtlpLog&) const = default;
};

struct OtlpTracing {
  std::optional<OtlpGrpc> grpc;
  std::optional<OtlpHttp> http;

  bool operator==(const OtlpTracing&) const = default;
};

}  // namespace fairlead::model

template <>
inline constexpr auto fairlead::schema::options<fairlead::model::OtlpHttp> =
    table(option<&model::OtlpHttp::endpoint>("endpoint", "URL of the collector."),
          option<&model::OtlpHttp::tls>("tls", "TLS toward the collector."),
          option<&model::OtlpHttp::headers>("headers", "Headers sent with each request."));
static_assert(fairlead::schema::complete<fairlead::model::OtlpHttp>());

template <>
inline constexpr auto fairlead::schema::options<fairlead::model::OtlpGrpc> =
    table(option<&model::OtlpGrpc::endpoint>("endpoint", "Host and port of the collector."),
          option<&model::OtlpGrpc::insecure>("insecure", "No TLS; excludes tls."),
          option<&model::OtlpGrpc::tls>("tls", "TLS toward the collector."),
          option<&model::OtlpGrpc::headers>("headers", "Metadata sent with each call."));
static_assert(fairlead::schema::complete<fairlead::model::OtlpGrpc>());

template <>
inline constexpr auto fairlead::schema::options<fairlead::model::OtlpLog> =
    table(option<&model::OtlpLog::service_name>("serviceName", "Name of the service in what is sent."),
          option<&model::OtlpLog::resource_attributes>("resourceAttributes",
                                                       "Attributes of the resource in what is sent."),
          option<&model::OtlpLog::grpc>("grpc", "Send by gRPC.", {.allow_empty = true}),
          option<&model::OtlpLog::http>("http", "Send by HTTP.", {.allow_empty = true}));
static_assert(fairlead::schema::complete<fairlead::model::OtlpLog>());

template <>
inline constexpr auto fairlead::schema::options<fairlead::model::OtlpTracing> =
    table(option<&model::OtlpTracing::grpc>("grpc", "Send by gRPC.", {.allow_empty = true}),
          option<&model::OtlpTracing::http>("http", "Send by HTTP.", {.allow_empty = true}));
static_assert(fairlead::schema::complete<fairlead::model::OtlpTracing>());
