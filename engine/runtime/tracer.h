#pragma once

#include "engine/model/dynamic.h"
#include "engine/model/static.h"
#include "engine/observe/trace.h"

#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace fairlead::runtime {

// What is traced, and how; OTEL_PROPAGATORS says by which headers.
std::shared_ptr<const observe::Tracer> make_tracer(const model::Tracing& options);
// The names of OTEL_PROPAGATORS that mean nothing here.
std::vector<std::string> unknown_propagators();

inline constexpr std::string_view kDetailed = "detailed";
// "minimal" or "detailed": the router's, else the entry point's.
const std::string& trace_verbosity(const model::HttpRouter& router, const model::EntryPoint& entry_point);
// Whether any router is traced in detail.
bool wants_detailed_traces(const model::Static& install, const model::Dynamic& dynamic);
// "AddPrefix", of the middleware type "addPrefix".
std::string span_name(std::string_view middleware_type);

}  // namespace fairlead::runtime
