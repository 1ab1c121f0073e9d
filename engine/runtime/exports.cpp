#include "engine/runtime/exports.h"

#include "engine/base/strings.h"
#include "engine/runtime/tracer.h"
#include "engine/telemetry/wire.h"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <cstdlib>
#include <optional>

namespace fairlead::runtime {
namespace {

constexpr std::uint64_t kLongestDelay = 60'000;  // ms

// How long records wait for others, in milliseconds, as OpenTelemetry's environment variables have it.
std::optional<Duration> wanted_delay(telemetry::Signal signal) {
  const char* const name = signal == telemetry::Signal::Traces ? "OTEL_BSP_SCHEDULE_DELAY"
                           : signal == telemetry::Signal::Logs ? "OTEL_BLRP_SCHEDULE_DELAY"
                                                               : nullptr;
  const char* const text = name ? std::getenv(name) : nullptr;
  if (!text || !*text) return std::nullopt;
  const auto number = parse_digits(text);
  if (number && *number <= kLongestDelay) return std::chrono::milliseconds(*number);
  spdlog::warn("{}: expected milliseconds up to {}, got {}", name, kLongestDelay, quoted(text));
  return std::nullopt;
}

// `area` as the options are written: "tracing.otlp".
std::shared_ptr<telemetry::Exporter> make(std::string_view area, telemetry::Signal signal,
                                          const std::optional<model::OtlpGrpc>& grpc,
                                          const std::optional<model::OtlpHttp>& http, std::string resource) {
  auto endpoint = telemetry::make_endpoint(grpc, http, signal);
  if (!endpoint) {
    spdlog::error("{}.{}: {}; no {} are sent", area, endpoint.error().path, endpoint.error().what,
                  telemetry::text(signal));
    return nullptr;
  }
  spdlog::debug("{}: {} are sent to {}", area, telemetry::text(signal), endpoint->url);
  telemetry::ExporterOptions options;
  options.signal = signal;
  options.endpoint = std::move(*endpoint);
  options.resource = std::move(resource);
  if (const auto delay = wanted_delay(signal)) options.delay = *delay;
  return std::make_shared<telemetry::Exporter>(std::move(options));
}

const std::map<std::string, std::string>& attributes(const model::Tracing& options) {
  return options.resource_attributes.empty() ? options.global_attributes : options.resource_attributes;
}

}  // namespace

std::shared_ptr<telemetry::Exporter> export_traces(const model::Tracing& options) {
  for (const std::string& name : unknown_propagators())
    spdlog::warn(
        "OTEL_PROPAGATORS: \"{}\" is not known here; tracecontext, baggage, b3, b3multi, jaeger and none are",
        name);
  return make("tracing.otlp", telemetry::Signal::Traces, options.otlp.grpc, options.otlp.http,
              telemetry::resource(options.service_name, attributes(options)));
}

bool same_export(const model::Tracing& a, const model::Tracing& b) {
  return a.service_name == b.service_name && attributes(a) == attributes(b) && a.otlp == b.otlp;
}

std::shared_ptr<telemetry::Exporter> export_metrics(const model::OtlpMetrics& options) {
  return make("metrics.otlp", telemetry::Signal::Metrics, options.grpc, options.http,
              telemetry::resource(options.service_name, options.resource_attributes));
}

std::shared_ptr<telemetry::Exporter> export_log(const model::OtlpLog& options) {
  return make("log.otlp", telemetry::Signal::Logs, options.grpc, options.http,
              telemetry::resource(options.service_name, options.resource_attributes));
}

std::shared_ptr<AccessExport> export_access_log(const model::AccessLog& options) {
  if (!options.otlp) return nullptr;
  auto exporter = make("accessLog.otlp", telemetry::Signal::Logs, options.otlp->grpc, options.otlp->http,
                       telemetry::resource(options.otlp->service_name, options.otlp->resource_attributes));
  return exporter ? std::make_shared<AccessExport>(options, std::move(exporter)) : nullptr;
}

}  // namespace fairlead::runtime
