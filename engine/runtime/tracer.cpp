#include "engine/runtime/tracer.h"

#include "engine/base/strings.h"

#include <algorithm>
#include <cstdlib>

namespace fairlead::runtime {
namespace {

observe::Propagators propagators(std::vector<std::string>& unknown) {
  const char* text = std::getenv("OTEL_PROPAGATORS");
  return observe::read_propagators(text ? text : "", unknown);
}

std::vector<std::string> in_lower_case(const std::vector<std::string>& names) {
  std::vector<std::string> out;
  for (const std::string& name : names) out.push_back(lower(name));
  return out;
}

}  // namespace

std::shared_ptr<const observe::Tracer> make_tracer(const model::Tracing& options) {
  auto out = std::make_shared<observe::Tracer>();
  out->sample_rate = options.sample_rate;
  out->request_headers = in_lower_case(options.captured_request_headers);
  out->response_headers = in_lower_case(options.captured_response_headers);
  out->safe_query = options.safe_query_params;
  out->internals = options.add_internals;
  std::vector<std::string> unknown;
  out->propagators = propagators(unknown);
  return out;
}

std::vector<std::string> unknown_propagators() {
  std::vector<std::string> unknown;
  propagators(unknown);
  return unknown;
}

const std::string& trace_verbosity(const model::HttpRouter& router, const model::EntryPoint& entry_point) {
  if (router.observability && router.observability->trace_verbosity)
    return *router.observability->trace_verbosity;
  return entry_point.observability.trace_verbosity;
}

bool wants_detailed_traces(const model::Static& install, const model::Dynamic& dynamic) {
  if (!install.tracing) return false;
  return std::ranges::any_of(
             install.entry_points,
             [](const auto& entry) { return entry.second.observability.trace_verbosity == kDetailed; }) ||
         std::ranges::any_of(dynamic.http.routers, [](const auto& entry) {
           const auto& watch = entry.second.options.observability;
           return watch && watch->trace_verbosity == kDetailed;
         });
}

std::string span_name(std::string_view middleware_type) {
  std::string out(middleware_type);
  if (!out.empty()) out.front() = to_upper(out.front());
  return out;
}

}  // namespace fairlead::runtime
