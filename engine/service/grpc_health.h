#pragma once

#include "engine/upstream/fetch.h"

#include <optional>
#include <string>
#include <string_view>

namespace fairlead::service {

// The standard health protocol of gRPC (grpc.health.v1.Health/Check) for the server as a whole: a call with
// an empty service name. A HealthCheckRequest without a name is an empty message, and the answer holds one
// enumeration: its few bytes are read here rather than with a protocol buffer library, which would be linked
// for one field.

// The message that is sent: a gRPC frame around nothing.
std::string_view grpc_health_question();
inline constexpr std::string_view kGrpcHealthPath = "/grpc.health.v1.Health/Check";

// What is wrong with a server that answered so; nothing when it is SERVING.
std::optional<std::string> grpc_health_problem(const upstream::FetchResponse& answer);

}  // namespace fairlead::service
