#include "engine/telemetry/spans.h"

#include "engine/observe/protocol_version.h"
#include "engine/observe/trace.h"
#include "engine/telemetry/write.h"

#include <algorithm>

namespace fairlead::telemetry {
namespace {

using observe::SpanAttribute;
using protozero::pbf_writer;

// Fields of Span.
constexpr protozero::pbf_tag_type kTraceId = 1;
constexpr protozero::pbf_tag_type kSpanId = 2;
constexpr protozero::pbf_tag_type kTraceState = 3;
constexpr protozero::pbf_tag_type kParent = 4;
constexpr protozero::pbf_tag_type kSpanName = 5;
constexpr protozero::pbf_tag_type kKind = 6;
constexpr protozero::pbf_tag_type kBegun = 7;
constexpr protozero::pbf_tag_type kEnded = 8;
constexpr protozero::pbf_tag_type kAttributes = 9;
constexpr protozero::pbf_tag_type kStatus = 15;
constexpr protozero::pbf_tag_type kFlags = 16;

constexpr std::int32_t kError = 2;  // of Status.code

constexpr std::uint32_t kSampled = 0x1;
constexpr std::uint32_t kKnowsWhetherRemote = 0x100;
constexpr std::uint32_t kRemoteParent = 0x200;

template <std::size_t N>
void add_id(pbf_writer& span, protozero::pbf_tag_type tag, const std::array<std::uint8_t, N>& id) {
  span.add_bytes(tag, reinterpret_cast<const char*>(id.data()), N);
}

// KeyValue{key, AnyValue{ArrayValue{…}}}
void add_array(pbf_writer& span, std::span<const SpanAttribute> elements) {
  pbf_writer attribute(span, kAttributes);
  add_text(attribute, 1, elements.front().key);
  pbf_writer value(attribute, 2);
  pbf_writer array(value, 5);
  for (const SpanAttribute& element : elements) {
    pbf_writer one(array, 1);
    add_text(one, 1, element.text);
  }
}

void add_attributes(pbf_writer& span, const std::vector<SpanAttribute>& attributes) {
  for (std::size_t i = 0; i < attributes.size();) {
    const SpanAttribute& one = attributes[i];
    std::size_t next = i + 1;
    switch (one.type) {
      case SpanAttribute::Type::Text: add_attribute(span, kAttributes, one.key, one.text); break;
      case SpanAttribute::Type::Number: add_attribute(span, kAttributes, one.key, one.number); break;
      case SpanAttribute::Type::Element:
        while (next < attributes.size() && attributes[next].type == one.type &&
               attributes[next].key == one.key)
          ++next;
        add_array(span, std::span(attributes).subspan(i, next - i));
        break;
    }
    i = next;
  }
}

void add_status(pbf_writer& span, std::string_view why) {
  pbf_writer status(span, kStatus);
  if (!why.empty()) add_text(status, 2, why);
  status.add_enum(3, kError);
}

// The semantic conventions' attributes of HTTP servers, which the record of the exchange holds.
void add_server(pbf_writer& span, const observe::Facts& facts, const observe::Trace& trace) {
  const observe::Record& record = facts.record;
  const auto text = [&](std::string_view key, std::string_view value) {
    if (!value.empty()) add_attribute(span, kAttributes, key, value);
  };
  const auto number = [&](std::string_view key, std::int64_t value) {
    add_attribute(span, kAttributes, key, value);
  };
  std::string_view target = record.target;
  if (const std::size_t scheme = target.find("://");
      scheme != std::string_view::npos && !target.starts_with('/')) {
    const std::size_t slash = target.find_first_of("/?", scheme + 3);
    target = slash == std::string_view::npos ? std::string_view("/") : target.substr(slash);
  }
  const std::size_t mark = target.find('?');
  text("entry_point", record.entry_point);
  text("http.request.method", record.method);
  text("network.protocol.version", observe::protocol_version(record.protocol));
  number("http.request.body.size", static_cast<std::int64_t>(record.request_bytes));
  text("url.path", target.substr(0, mark));
  if (mark != std::string_view::npos)
    text("url.query", observe::safe_query(target.substr(mark + 1), trace.tracer().safe_query));
  text("url.scheme", record.scheme);
  text("server.address", record.authority);
  const std::string made = facts.client_ip.empty() ? record.client.ip.text() : std::string();
  const std::string_view client = facts.client_ip.empty() ? std::string_view(made) : facts.client_ip;
  text("client.address", client);
  number("client.port", record.client.port);
  text("network.peer.address", client);
  number("network.peer.port", record.client.port);
  if (record.status > 0) number("http.response.status_code", record.status);
  if (facts.response) {
    observe::Span captured;
    observe::capture_headers(captured, "http.response.header.", trace.tracer().response_headers,
                             *facts.response);
    add_attributes(span, captured.attributes);
  }
  // A status of the client's making is no failure of the server's (semantic conventions of HTTP spans).
  if (record.status >= 500) add_status(span, record.cause ? record.cause->detail : std::string_view{});
}

}  // namespace

std::size_t append_spans(std::string& out, const observe::Facts& facts) {
  const observe::Trace& trace = *facts.trace;
  if (!trace.sampled()) return 0;
  const observe::Record& record = facts.record;
  const Duration to_wall = facts.begun.time_since_epoch() - record.begun.time_since_epoch();
  const auto wall = [&](TimePoint time) {
    return static_cast<std::uint64_t>((time.time_since_epoch() + to_wall).count());
  };
  pbf_writer scope(out);
  for (const observe::Span& one : trace.spans()) {
    const bool server = &one == &trace.spans().front();
    pbf_writer span(scope, kRecord);
    add_id(span, kTraceId, trace.id());
    add_id(span, kSpanId, one.id);
    if (!trace.state().empty()) add_text(span, kTraceState, trace.state());
    if (one.parent != observe::SpanId{}) add_id(span, kParent, one.parent);
    add_text(span, kSpanName, server ? record.method : one.name);
    span.add_enum(kKind, static_cast<std::int32_t>(one.kind));
    // What never ended was cut off with its exchange.
    const TimePoint begun = server ? record.begun : one.begun;
    span.add_fixed64(kBegun, wall(begun));
    span.add_fixed64(kEnded, wall(std::max(begun, server || one.ended < begun ? record.ended : one.ended)));
    add_attributes(span, one.attributes);
    if (server)
      add_server(span, facts, trace);
    else if (one.failed)
      add_status(span, one.why);
    span.add_fixed32(
        kFlags, kSampled | kKnowsWhetherRemote | (server && trace.has_remote_parent() ? kRemoteParent : 0));
  }
  return trace.spans().size();
}

}  // namespace fairlead::telemetry
