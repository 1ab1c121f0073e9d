#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace fairlead::http {
class Fields;
}

namespace fairlead::observe {

using TraceId = std::array<std::uint8_t, 16>;
using SpanId = std::array<std::uint8_t, 8>;

// Where in which trace a request stands, as headers carry it from one program to the next.
struct TraceContext {
  TraceId trace{};
  SpanId span{};                     // of whoever sent the request
  std::optional<bool> sampled = {};  // whether the trace is recorded; nothing: its sender left that open (B3)
  std::string_view state = {};       // W3C tracestate, checked; lives as long as the request's arena

  bool operator==(const TraceContext&) const = default;
};

// The ways of writing a context into headers.
enum class Propagator : std::uint8_t {
  TraceContext,  // traceparent and tracestate (W3C Trace Context)
  Baggage,       // nothing to do: that header is handed on like any other, and nothing of it is used
  B3,            // one header `b3`
  B3Multi,       // X-B3-TraceId and its like
  Jaeger,        // uber-trace-id
};
using Propagators = std::vector<Propagator>;

// OTEL_PROPAGATORS: names with commas between; empty: tracecontext and baggage. Names that are not known here
// are left out and added to `unknown`.
Propagators read_propagators(std::string_view text, std::vector<std::string>& unknown);

// Readers of one header value each. What comes from a client is never trusted: anything but a well-formed
// context is none.
std::optional<TraceContext> read_traceparent(std::string_view value);
std::optional<TraceContext> read_b3(std::string_view value);
std::optional<TraceContext> read_jaeger(std::string_view value);
// A tracestate as it may be sent on: its members without white space and empty ones, at most 512 characters
// (W3C Trace Context §3.3.1.5). Empty when a member is malformed or twice there, or when they are more than
// 32: the whole is given up then.
std::string read_tracestate(std::string_view value);

// What the headers of a request say: the last of `propagators` that finds something counts. `state` is put
// into the arena of the fields.
std::optional<TraceContext> extract(http::Fields& fields, const Propagators& propagators);
// Replaces what the headers say. `sampled` is taken as false when it is open.
void inject(const TraceContext& context, http::Fields& fields, const Propagators& propagators);

// Lower case, as all of these headers have it.
void append_hex(std::string& out, std::span<const std::uint8_t> bytes);
std::string hex(std::span<const std::uint8_t> bytes);

}  // namespace fairlead::observe
