#include "engine/observe/trace.h"

#include "engine/base/strings.h"
#include "engine/http/fields.h"
#include "engine/http/url.h"

#include <algorithm>
#include <cstring>
#include <random>

namespace fairlead::observe {
namespace {

// Identifiers have to differ, not to be secret.
std::uint64_t random_bits() {
  thread_local std::mt19937_64 random{(std::uint64_t{std::random_device{}()} << 32) | std::random_device{}()};
  return random();
}

// Never all zero, which would be none (W3C Trace Context §3.2.2).
template <std::size_t N>
std::array<std::uint8_t, N> random_id() {
  std::array<std::uint8_t, N> out{};
  for (std::size_t at = 0; at < N; at += 8) {
    const std::uint64_t drawn = random_bits();
    const std::uint64_t bits = drawn == 0 ? 1 : drawn;
    std::memcpy(out.data() + at, &bits, 8);
  }
  return out;
}

// The same traces at every program with this rate: the last eight bytes decide, as in OpenTelemetry's
// TraceIdRatioBased sampler.
bool is_chosen(const TraceId& id, double rate) {
  if (rate >= 1) return true;
  if (rate <= 0) return false;
  std::uint64_t number = 0;
  for (std::size_t i = 8; i < 16; ++i) number = number << 8 | id[i];
  return static_cast<double>(number >> 1) < rate * 9223372036854775808.0;  // 2^63
}

}  // namespace

Trace::Trace(const Tracer& tracer, const std::optional<TraceContext>& parent, bool detailed)
    : tracer_(&tracer), server_span_(random_id<8>()), detailed_(detailed) {
  id_ = parent ? parent->trace : random_id<16>();
  remote_parent_ = parent.has_value();
  if (parent) state_ = parent->state;
  sampled_ = parent && parent->sampled ? *parent->sampled : is_chosen(id_, tracer.sample_rate);
  if (!sampled_) return;
  Span& server = spans_.emplace_back();
  server.id = server_span_;
  if (parent) server.parent = parent->span;
  server.kind = SpanKind::Server;
}

TraceContext Trace::context() const {
  return {.trace = id_,
          .span = sampled_ ? spans_[innermost_].id : server_span_,
          .sampled = sampled_,
          .state = state_};
}

void Trace::inject(http::Fields& fields) const { observe::inject(context(), fields, tracer_->propagators); }

std::size_t Trace::open(SpanKind kind, std::string_view name, TimePoint now) {
  if (!sampled_ || spans_.size() == kMaxSpans) return kNone;
  const SpanId parent = spans_[innermost_].id;
  Span& span = spans_.emplace_back();
  span.id = random_id<8>();
  span.parent = parent;
  span.kind = kind;
  span.name = name;
  span.begun = now;
  return innermost_ = spans_.size() - 1;
}

void Trace::close(std::size_t index, std::size_t outer, TimePoint now) {
  if (index == kNone) return;
  spans_[index].ended = now;
  innermost_ = outer;
}

void capture_headers(Span& span, std::string_view prefix, const std::vector<std::string>& names,
                     const http::Fields& fields) {
  for (const std::string& name : names) {
    if (name == "user-agent") continue;
    std::string_view key;
    for (const http::Field& line : fields) {
      if (!iequals(line.name, name)) continue;
      if (key.empty()) key = fields.arena().join(prefix, name);
      span.attributes.push_back({.key = key, .text = line.value, .type = SpanAttribute::Type::Element});
    }
  }
}

std::string safe_query(std::string_view query, const std::vector<std::string>& safe) {
  std::string out;
  for (const auto& [key, value] : http::QueryParameters(query)) {
    if (!out.empty()) out += '&';
    out += key;
    const bool keep =
        std::ranges::any_of(safe, [key](const std::string& name) { return http::query_equals(key, name); });
    if (!keep)
      out += "=REDACTED";
    else if (!value.empty())
      (out += '=') += value;
  }
  return out;
}

}  // namespace fairlead::observe
