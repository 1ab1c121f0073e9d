#include "engine/telemetry/endpoint.h"

#include "engine/base/strings.h"
#include "engine/http/fields.h"
#include "engine/http/url.h"
#include "engine/http/user_info.h"

#include <fmt/format.h>

namespace fairlead::telemetry {
namespace {

// The full name of the gRPC service without its first and last part: "trace.v1.Trace".
std::string_view service(Signal signal) {
  switch (signal) {
    case Signal::Traces: return "trace.v1.Trace";
    case Signal::Metrics: return "metrics.v1.Metrics";
    case Signal::Logs: return "logs.v1.Logs";
  }
  return {};
}

Configured<std::vector<std::string>> header_lines(const std::map<std::string, std::string>& headers,
                                                  const char* option) {
  std::vector<std::string> out;
  for (const auto& [name, value] : headers) {
    if (!http::is_token(name) || !http::is_field_value(value))
      return misconfigured(option, quoted(name) + " and its value are no header");
    // libcurl sends a header without value only when it is written so.
    out.push_back(value.empty() ? name + ";" : fmt::format("{}: {}", name, value));
  }
  return out;
}

}  // namespace

std::string_view text(Signal signal) {
  switch (signal) {
    case Signal::Traces: return "traces";
    case Signal::Metrics: return "metrics";
    case Signal::Logs: return "logs";
  }
  return {};
}

Configured<Endpoint> make_endpoint(const std::optional<model::OtlpGrpc>& grpc,
                                   const std::optional<model::OtlpHttp>& http, Signal signal) {
  Endpoint out;
  const model::OtlpHttp plain = http.value_or(model::OtlpHttp{});
  auto headers =
      grpc ? header_lines(grpc->headers, "grpc.headers") : header_lines(plain.headers, "http.headers");
  if (!headers) return std::unexpected(std::move(headers.error()));
  out.headers = std::move(*headers);
  if (grpc) {
    if (!http::parse_authority(grpc->endpoint))
      return misconfigured("grpc.endpoint", fmt::format("expected host:port, got {}",
                                                        quoted(http::url_without_user_info(grpc->endpoint))));
    out.grpc = true;
    out.tls = grpc->tls;
    out.url = fmt::format("{}://{}/opentelemetry.proto.collector.{}Service/Export",
                          grpc->insecure ? "http" : "https", grpc->endpoint, service(signal));
    return out;
  }
  const auto target = http::split_target(plain.endpoint);
  if (target && target->authority.find('@') != std::string_view::npos)  // told without the password
    return misconfigured("http.endpoint",
                         "a user name would not be sent: leave it out of the URL, and set Authorization in "
                         "http.headers");
  if (!target || target->form != http::TargetForm::Absolute || !http::parse_authority(target->authority))
    return misconfigured("http.endpoint", fmt::format("{} is no http or https URL",
                                                      quoted(http::url_without_user_info(plain.endpoint))));
  out.tls = plain.tls;
  out.url = plain.endpoint;
  if (target->path.empty() || target->path == "/") {
    out.url = fmt::format("{}://{}/v1/{}", istarts_with(plain.endpoint, "https") ? "https" : "http",
                          target->authority, text(signal));
    if (target->has_query) (out.url += '?') += target->query;
  }
  return out;
}

}  // namespace fairlead::telemetry
