// Headers of tracing: what is read is within the bounds of its standard, and is what would be written. The
// first line is a traceparent, the next tracestate, then b3, then uber-trace-id; each is tried as each.
#include "engine/base/strings.h"
#include "engine/http/fields.h"
#include "engine/observe/trace_context.h"

#include <cstdint>
#include <cstdlib>

namespace {

using namespace fairlead;

void demand(bool condition) {
  if (!condition) std::abort();
}

void check(const std::optional<observe::TraceContext>& context, observe::Propagator propagator) {
  if (!context) return;
  demand(context->trace != observe::TraceId{} && context->span != observe::SpanId{});
  Arena arena;
  http::Fields fields(arena);
  observe::inject(*context, fields, {propagator});
  const auto again = observe::extract(fields, {propagator});
  demand(again && again->trace == context->trace && again->span == context->span &&
         again->sampled == context->sampled.value_or(false));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string input(reinterpret_cast<const char*>(data), size);
  const auto lines = split(input, '\n');
  for (const std::string_view part : lines) {
    // A copy of its own, so that a read beyond its end is seen.
    const std::string line(part);
    check(observe::read_traceparent(line), observe::Propagator::TraceContext);
    check(observe::read_b3(line), observe::Propagator::B3);
    check(observe::read_jaeger(line), observe::Propagator::Jaeger);
    const std::string state = observe::read_tracestate(line);
    demand(state.size() <= 512 && observe::read_tracestate(state) == state);
    for (const char c : state) demand(c >= 0x20 && c <= 0x7e);
    std::vector<std::string> unknown;
    observe::read_propagators(line, unknown);
  }
  Arena arena;
  http::Fields fields(arena);
  constexpr std::string_view kNames[] = {"traceparent",  "tracestate",  "b3",           "uber-trace-id",
                                         "X-B3-TraceId", "X-B3-SpanId", "X-B3-Sampled", "X-B3-Flags"};
  for (std::size_t i = 0; i < lines.size() && i < 64; ++i)
    fields.add(kNames[i % std::size(kNames)], lines[i]);
  using observe::Propagator;
  for (const Propagator one : {Propagator::TraceContext, Propagator::B3Multi, Propagator::Jaeger})
    check(observe::extract(fields, {one}), one);
  return 0;
}
