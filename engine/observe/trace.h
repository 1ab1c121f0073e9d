#pragma once

#include "engine/base/clock.h"
#include "engine/observe/trace_context.h"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace fairlead::observe {

// What is traced, and how: tracing.* of the install configuration. Immutable; part of a snapshot.
struct Tracer {
  double sample_rate = 1.0;                        // of requests whose sender decided nothing
  std::vector<std::string> request_headers = {};   // recorded, in lower case
  std::vector<std::string> response_headers = {};  // the same
  std::vector<std::string> safe_query = {};  // parameters whose values are recorded; others are redacted
  bool internals = false;                    // also ping, API and the like
  Propagators propagators = {};
};

enum class SpanKind : std::uint8_t { Internal = 1, Server = 2, Client = 3 };  // as OTLP numbers them

// All views live in the arena of the exchange or in its snapshot, or are literals.
struct SpanAttribute {
  std::string_view key;
  std::string_view text;
  std::int64_t number = 0;
  enum class Type : std::uint8_t {
    Text,
    Number,
    Element
  } type = Type::Text;  // Elements of one key: an array
};

struct Span {
  SpanId id{};
  SpanId parent{};  // all zero: none
  SpanKind kind = SpanKind::Internal;
  std::string_view name;
  TimePoint begun{};
  TimePoint ended{};
  bool failed = false;
  std::string_view why;  // of a failure
  std::vector<SpanAttribute> attributes;

  void add(std::string_view key, std::string_view text) {
    if (!text.empty()) attributes.push_back({.key = key, .text = text});
  }
  void add(std::string_view key, std::int64_t number) {
    attributes.push_back({.key = key, .text = {}, .number = number, .type = SpanAttribute::Type::Number});
  }
};

// One request's part of a trace: its spans, of which the first is the server's own; exists only while tracing
// is on. A trace that is not sampled has no spans, but is known to whom the request goes. Belongs to its
// exchange.
class Trace {
 public:
  // A new trace, or the one that the request is part of; `kMaxSpans` bounds what retries can pile up.
  Trace(const Tracer& tracer, const std::optional<TraceContext>& parent, bool detailed);
  static constexpr std::size_t kMaxSpans = 256;

  const Tracer& tracer() const { return *tracer_; }
  bool sampled() const { return sampled_; }
  // Spans for router, middlewares and services too.
  bool detailed() const { return detailed_ && sampled_; }
  const TraceId& id() const { return id_; }
  const SpanId& server_span() const { return server_span_; }
  std::string_view state() const { return state_; }
  // Whether the parent of the server's span is in another program.
  bool has_remote_parent() const { return remote_parent_; }
  const std::vector<Span>& spans() const { return spans_; }
  Span& server() { return spans_.front(); }

  // Tells the receiver of these headers that it is below the innermost span that is open.
  void inject(http::Fields& fields) const;
  TraceContext context() const;

 private:
  friend class OpenSpan;
  static constexpr std::size_t kNone = static_cast<std::size_t>(-1);
  std::size_t open(SpanKind kind, std::string_view name, TimePoint now);
  void close(std::size_t index, std::size_t outer, TimePoint now);

  const Tracer* tracer_;
  TraceId id_{};
  SpanId server_span_{};
  std::string_view state_;
  bool sampled_ = false;
  bool detailed_ = false;
  bool remote_parent_ = false;
  std::vector<Span> spans_;
  std::size_t innermost_ = 0;
};

// A span while it lasts. Empty: nothing is recorded, and nothing is done.
class OpenSpan {
 public:
  OpenSpan() = default;
  OpenSpan(Trace& trace, SpanKind kind, std::string_view name, TimePoint now)
      : trace_(&trace), outer_(trace.innermost_), index_(trace.open(kind, name, now)) {}
  OpenSpan(OpenSpan&& other) noexcept
      : trace_(std::exchange(other.trace_, nullptr)), outer_(other.outer_), index_(other.index_) {}
  OpenSpan& operator=(OpenSpan&& other) noexcept {
    if (this != &other) {
      end(TimePoint{});
      trace_ = std::exchange(other.trace_, nullptr);
      outer_ = other.outer_;
      index_ = other.index_;
    }
    return *this;
  }
  // Without end() it ends with its exchange, whose task was cancelled.
  ~OpenSpan() {
    if (trace_) end(TimePoint{});
  }

  // Null when it is not recorded.
  Span* span() const { return trace_ && index_ != Trace::kNone ? &trace_->spans_[index_] : nullptr; }
  void end(TimePoint now) {
    if (trace_) std::exchange(trace_, nullptr)->close(index_, outer_, now);
  }

 private:
  Trace* trace_ = nullptr;
  std::size_t outer_ = 0;
  std::size_t index_ = Trace::kNone;
};

// Adds `http.request.header.<name>` for each of `names` that `fields` has. Not User-Agent, which has an
// attribute of its own.
void capture_headers(Span& span, std::string_view prefix, const std::vector<std::string>& names,
                     const http::Fields& fields);

// A query as it may be recorded: "a=1&token=REDACTED".
std::string safe_query(std::string_view query, const std::vector<std::string>& safe);

}  // namespace fairlead::observe
