#pragma once

// The option tables of observability.h, which includes this file at its end.

#include "engine/model/checks.h"
#include "engine/model/observability.h"

template <>
inline constexpr auto fairlead::schema::options<fairlead::model::Log> = table(
    option<&model::Log::level>(
        "level", "TRACE, DEBUG, INFO, WARN, ERROR, FATAL or PANIC, in any case; any other means INFO."),
    option<&model::Log::format>("format", "common or json; any other means common."),
    option<&model::Log::no_color>("noColor", "No colours on a terminal."),
    option<&model::Log::file_path>("filePath", "File the log goes to; stdout when empty."),
    option<&model::Log::max_size>("maxSize", "Megabytes at which the file is rotated; 0: 100."),
    option<&model::Log::max_age>("maxAge", "Days after which rotated files are removed; 0: never."),
    option<&model::Log::max_backups>("maxBackups", "Rotated files kept; 0: all."),
    option<&model::Log::compress>("compress", "Compress rotated files."),
    option<&model::Log::otlp>("otlp", "Also send the log by OTLP.", {.allow_empty = true, .tier = Tier::T2}));
static_assert(fairlead::schema::complete<fairlead::model::Log>());

template <>
inline constexpr auto fairlead::schema::options<fairlead::model::AccessLogFilters> = table(
    option<&model::AccessLogFilters::status_codes>(
        "statusCodes", "Keep lines with these statuses: codes or ranges.", {.check = model::status_or_range}),
    option<&model::AccessLogFilters::retry_attempts>("retryAttempts",
                                                     "Keep lines of requests that were tried again."),
    option<&model::AccessLogFilters::min_duration>("minDuration",
                                                   "Keep lines of requests that took longer."));
static_assert(fairlead::schema::complete<fairlead::model::AccessLogFilters>());

template <>
inline constexpr auto fairlead::schema::options<fairlead::model::AccessLogHeaders> = table(
    option<&model::AccessLogHeaders::default_mode>(
        "defaultMode", "What happens to headers: keep, drop or redact.", {.choices = "keep|drop|redact"}),
    option<&model::AccessLogHeaders::names>("names", "What happens to one header: keep, drop or redact.",
                                            {.choices = "keep|drop|redact"}));
static_assert(fairlead::schema::complete<fairlead::model::AccessLogHeaders>());

template <>
inline constexpr auto fairlead::schema::options<fairlead::model::AccessLogQuery> =
    table(option<&model::AccessLogQuery::default_mode>(
        "defaultMode", "What happens to the query in RequestPath: keep or drop.", {.choices = "keep|drop"}));
static_assert(fairlead::schema::complete<fairlead::model::AccessLogQuery>());

template <>
inline constexpr auto fairlead::schema::options<fairlead::model::AccessLogFields> = table(
    option<&model::AccessLogFields::default_mode>("defaultMode", "What happens to fields: keep or drop.",
                                                  {.choices = "keep|drop"}),
    option<&model::AccessLogFields::names>("names", "What happens to one field: keep or drop.",
                                           {.choices = "keep|drop"}),
    option<&model::AccessLogFields::headers>("headers", "Which headers are written."),
    option<&model::AccessLogFields::query_parameters>("queryParameters", "Whether the query is written."));
static_assert(fairlead::schema::complete<fairlead::model::AccessLogFields>());

template <>
inline constexpr auto fairlead::schema::options<fairlead::model::AccessLog> = table(
    option<&model::AccessLog::file_path>("filePath", "File the lines go to; stdout when empty."),
    option<&model::AccessLog::format>("format", "common, genericCLF or json; any other means common."),
    option<&model::AccessLog::filters>("filters", "Which requests are written; any that matches suffices."),
    option<&model::AccessLog::fields>("fields", "Which fields are written."),
    option<&model::AccessLog::buffering_size>("bufferingSize", "Lines that may wait to be written."),
    option<&model::AccessLog::add_internals>("addInternals",
                                             "Also write requests to ping, dashboard and API."),
    option<&model::AccessLog::dual_output>("dualOutput", "Keep the local output beside OTLP."),
    option<&model::AccessLog::otlp>("otlp", "Send the lines by OTLP.",
                                    {.allow_empty = true, .tier = Tier::T2}));
static_assert(fairlead::schema::complete<fairlead::model::AccessLog>());

template <>
inline constexpr auto fairlead::schema::options<fairlead::model::Prometheus> = table(
    option<&model::Prometheus::buckets>("buckets", "Buckets of durations, in seconds."),
    option<&model::Prometheus::add_entry_points_labels>("addEntryPointsLabels", "Metrics by entry point."),
    option<&model::Prometheus::add_routers_labels>("addRoutersLabels", "Metrics by router."),
    option<&model::Prometheus::add_services_labels>("addServicesLabels", "Metrics by service."),
    option<&model::Prometheus::entry_point>("entryPoint", "Entry point that serves /metrics."),
    option<&model::Prometheus::manual_routing>("manualRouting",
                                               "No router; only the service prometheus@internal."),
    option<&model::Prometheus::header_labels>("headerLabels", "Further labels taken from request headers."));
static_assert(fairlead::schema::complete<fairlead::model::Prometheus>());

template <>
inline constexpr auto fairlead::schema::options<fairlead::model::OtlpMetrics> = table(
    option<&model::OtlpMetrics::grpc>("grpc", "Send by gRPC.", {.allow_empty = true}),
    option<&model::OtlpMetrics::http>("http", "Send by HTTP.", {.allow_empty = true}),
    option<&model::OtlpMetrics::add_entry_points_labels>("addEntryPointsLabels", "Metrics by entry point."),
    option<&model::OtlpMetrics::add_routers_labels>("addRoutersLabels", "Metrics by router."),
    option<&model::OtlpMetrics::add_services_labels>("addServicesLabels", "Metrics by service."),
    option<&model::OtlpMetrics::explicit_boundaries>("explicitBoundaries",
                                                     "Buckets of durations, in seconds."),
    option<&model::OtlpMetrics::push_interval>("pushInterval", "Time between two pushes."),
    option<&model::OtlpMetrics::service_name>("serviceName", "Name of the service in what is sent."),
    option<&model::OtlpMetrics::resource_attributes>("resourceAttributes",
                                                     "Attributes of the resource in what is sent."));
static_assert(fairlead::schema::complete<fairlead::model::OtlpMetrics>());

template <>
inline constexpr auto fairlead::schema::options<fairlead::model::Metrics> = table(
    option<&model::Metrics::add_internals>("addInternals", "Also count requests to ping, dashboard and API."),
    option<&model::Metrics::prometheus>("prometheus", "Metrics that Prometheus fetches.",
                                        {.allow_empty = true}),
    option<&model::Metrics::otlp>("otlp", "Metrics sent by OTLP.", {.allow_empty = true, .tier = Tier::T2}),
    option<&model::Metrics::datadog>("datadog", "Metrics sent to Datadog.",
                                     {.out_of_scope = true, .tier = Tier::T3}),
    option<&model::Metrics::stats_d>("statsD", "Metrics sent to StatsD.",
                                     {.out_of_scope = true, .tier = Tier::T3}),
    option<&model::Metrics::influx_db2>("influxDB2", "Metrics sent to InfluxDB.",
                                        {.out_of_scope = true, .tier = Tier::T3}));
static_assert(fairlead::schema::complete<fairlead::model::Metrics>());

template <>
inline constexpr auto fairlead::schema::options<fairlead::model::Tracing> = table(
    option<&model::Tracing::service_name>("serviceName", "Name of the service in what is sent."),
    option<&model::Tracing::resource_attributes>("resourceAttributes",
                                                 "Attributes of the resource in what is sent."),
    option<&model::Tracing::global_attributes>("globalAttributes", "Attributes of the resource.",
                                               {.deprecated = true, .replaced_by = "resourceAttributes"}),
    option<&model::Tracing::captured_request_headers>("capturedRequestHeaders",
                                                      "Request headers recorded in spans."),
    option<&model::Tracing::captured_response_headers>("capturedResponseHeaders",
                                                       "Response headers recorded in spans."),
    option<&model::Tracing::safe_query_params>("safeQueryParams",
                                               "Query parameters recorded; others are redacted."),
    option<&model::Tracing::sample_rate>("sampleRate", "Share of the requests traced, 0 to 1."),
    option<&model::Tracing::add_internals>("addInternals", "Also trace requests to ping, dashboard and API."),
    option<&model::Tracing::otlp>("otlp", "Where traces are sent.", {.allow_empty = true}));
static_assert(fairlead::schema::complete<fairlead::model::Tracing>());
