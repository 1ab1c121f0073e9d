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

// What an exporter needs of its options but the resource; none, and said, when they name no collector that
// can be spoken to. `area` as the options are written: "tracing.otlp".
template <class Options>
std::optional<telemetry::ExporterOptions> prepare(std::string_view area, telemetry::Signal signal,
                                                  const Options& otlp) {
  auto endpoint = telemetry::make_endpoint(otlp.grpc, otlp.http, signal);
  if (!endpoint) {
    spdlog::error("{}.{}: {}; no {} are sent", area, endpoint.error().path, endpoint.error().what,
                  telemetry::text(signal));
    return std::nullopt;
  }
  spdlog::debug("{}: {} are sent to {}", area, telemetry::text(signal), endpoint->url);
  telemetry::ExporterOptions options;
  options.signal = signal;
  options.endpoint = std::move(*endpoint);
  if (const auto delay = wanted_delay(signal)) options.delay = *delay;
  return options;
}

std::optional<telemetry::ExporterOptions> prepare_traces(const model::Tracing& options) {
  for (const std::string& name : unknown_propagators())
    spdlog::warn(
        "OTEL_PROPAGATORS: \"{}\" is not known here; tracecontext, baggage, b3, b3multi, jaeger and none are",
        name);
  return prepare("tracing.otlp", telemetry::Signal::Traces, options.otlp);
}
std::optional<telemetry::ExporterOptions> prepare_metrics(const model::OtlpMetrics& options) {
  return prepare("metrics.otlp", telemetry::Signal::Metrics, options);
}
std::optional<telemetry::ExporterOptions> prepare_log(const model::OtlpLog& options) {
  return prepare("log.otlp", telemetry::Signal::Logs, options);
}
std::optional<telemetry::ExporterOptions> prepare_access_log(const model::OtlpLog& options) {
  return prepare("accessLog.otlp", telemetry::Signal::Logs, options);
}

std::shared_ptr<telemetry::Exporter> make(std::optional<telemetry::ExporterOptions> options,
                                          std::string resource) {
  if (!options) return nullptr;
  options->resource = std::move(resource);
  return std::make_shared<telemetry::Exporter>(std::move(*options));
}

const std::map<std::string, std::string>& attributes(const model::Tracing& options) {
  return options.resource_attributes.empty() ? options.global_attributes : options.resource_attributes;
}

}  // namespace

std::shared_ptr<telemetry::Exporter> export_traces(const model::Tracing& options) {
  return make(prepare_traces(options), telemetry::resource(options.service_name, attributes(options)));
}

bool same_export(const model::Tracing& a, const model::Tracing& b) {
  return a.service_name == b.service_name && attributes(a) == attributes(b) && a.otlp == b.otlp;
}

std::shared_ptr<telemetry::Exporter> export_metrics(const model::OtlpMetrics& options) {
  return make(prepare_metrics(options),
              telemetry::resource(options.service_name, options.resource_attributes));
}

std::shared_ptr<telemetry::Exporter> export_log(const model::OtlpLog& options) {
  return make(prepare_log(options), telemetry::resource(options.service_name, options.resource_attributes));
}

std::shared_ptr<AccessExport> export_access_log(const model::AccessLog& options) {
  if (!options.otlp) return nullptr;
  auto exporter = make(prepare_access_log(*options.otlp),
                       telemetry::resource(options.otlp->service_name, options.otlp->resource_attributes));
  return exporter ? std::make_shared<AccessExport>(options, std::move(exporter)) : nullptr;
}

void say_what_keeps_exports_from_collectors(const model::Static& install) {
  if (install.tracing) prepare_traces(*install.tracing);
  if (install.metrics.otlp) prepare_metrics(*install.metrics.otlp);
  if (install.log.otlp) prepare_log(*install.log.otlp);
  if (install.access_log && install.access_log->otlp) prepare_access_log(*install.access_log->otlp);
}

}  // namespace fairlead::runtime
