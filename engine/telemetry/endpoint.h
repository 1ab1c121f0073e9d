#pragma once

#include "engine/base/result.h"
#include "engine/model/otlp.h"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace fairlead::telemetry {

enum class Signal : unsigned char { Traces, Metrics, Logs };

// "traces": of the path /v1/traces, and for messages.
std::string_view text(Signal signal);

// Where what is exported goes, and how.
struct Endpoint {
  std::string url;
  bool grpc = false;
  std::vector<std::string> headers;  // "Name: value"
  std::optional<model::ClientTls> tls;
};

// `grpc` wins where both are there; neither is HTTP with its defaults. Errors name the option:
// {"http.endpoint", "…"}.
Configured<Endpoint> make_endpoint(const std::optional<model::OtlpGrpc>& grpc,
                                   const std::optional<model::OtlpHttp>& http, Signal signal);

}  // namespace fairlead::telemetry
