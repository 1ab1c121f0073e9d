#include "engine/observe/trace_context.h"

#include "engine/base/strings.h"
#include "engine/http/fields.h"

#include <algorithm>
#include <span>

namespace fairlead::observe {
namespace {

constexpr std::string_view kTraceparent = "traceparent";
constexpr std::string_view kTracestate = "tracestate";
constexpr std::string_view kB3 = "b3";
constexpr std::string_view kB3Trace = "X-B3-TraceId";
constexpr std::string_view kB3Span = "X-B3-SpanId";
constexpr std::string_view kB3Parent = "X-B3-ParentSpanId";
constexpr std::string_view kB3Sampled = "X-B3-Sampled";
constexpr std::string_view kB3Flags = "X-B3-Flags";
constexpr std::string_view kJaeger = "uber-trace-id";

// W3C Trace Context §3.3.1: what a member may be, how many there may be, and what has to be sent on.
constexpr std::size_t kMaxMembers = 32;
constexpr std::size_t kMaxKey = 256;
constexpr std::size_t kMaxValue = 256;
constexpr std::size_t kMaxState = 512;
constexpr std::size_t kLongMember = 128;
constexpr std::size_t kMaxRead = 32 * 1024;  // more than 32 members and their white space need; not looked at

constexpr bool is_lower_hex(char c) { return is_digit(c) || (c >= 'a' && c <= 'f'); }

// Exactly as many digits as `out` needs.
template <std::size_t N>
bool read_hex(std::string_view digits, std::array<std::uint8_t, N>& out) {
  if (digits.size() != 2 * N) return false;
  for (std::size_t i = 0; i < N; ++i) {
    const int high = hex_value(digits[2 * i]);
    const int low = hex_value(digits[2 * i + 1]);
    if (high < 0 || low < 0) return false;
    out[i] = static_cast<std::uint8_t>(high * 16 + low);
  }
  return true;
}

// Fewer digits are a number without its leading zeros, as B3 (16 digits) and Jaeger (any) write them.
template <std::size_t N>
bool read_number(std::string_view digits, std::array<std::uint8_t, N>& out) {
  if (digits.empty() || digits.size() > 2 * N) return false;
  std::string padded(2 * N - digits.size(), '0');
  padded += digits;
  return read_hex(padded, out);
}

template <std::size_t N>
bool is_zero(const std::array<std::uint8_t, N>& id) {
  return std::ranges::all_of(id, [](std::uint8_t byte) { return byte == 0; });
}

bool names_a_span(const TraceContext& context) { return !is_zero(context.trace) && !is_zero(context.span); }

bool is_b3_trace(std::string_view digits) { return digits.size() == 16 || digits.size() == 32; }

// What B3 says about recording: "d" is debug, which implies it.
bool read_b3_sampled(std::string_view text, std::optional<bool>& sampled) {
  if (text == "1" || text == "d" || text == "true")
    sampled = true;
  else if (text == "0" || text == "false")
    sampled = false;
  else
    return false;
  return true;
}

std::optional<TraceContext> read_b3_multi(const http::Fields& fields) {
  TraceContext out;
  const std::string_view trace = fields.get(kB3Trace);
  if (!is_b3_trace(trace) || !read_number(trace, out.trace) || !read_hex(fields.get(kB3Span), out.span) ||
      !names_a_span(out))
    return std::nullopt;
  const std::string_view sampled = fields.get(kB3Sampled);
  if (!sampled.empty() && !read_b3_sampled(sampled, out.sampled)) return std::nullopt;
  if (fields.get(kB3Flags) == "1") out.sampled = true;
  return out;
}

bool is_key(std::string_view key) {
  if (key.empty() || key.size() > kMaxKey) return false;
  const auto alphanumeric = [](char c) { return (c >= 'a' && c <= 'z') || is_digit(c); };
  return alphanumeric(key.front()) && std::ranges::all_of(key, [&](char c) {
           return alphanumeric(c) || c == '_' || c == '-' || c == '*' || c == '/' || c == '@';
         });
}

bool is_value(std::string_view value) {
  if (value.empty() || value.size() > kMaxValue) return false;
  return std::ranges::all_of(value, [](char c) { return c >= 0x20 && c <= 0x7e && c != ',' && c != '='; });
}

// The only line of that name; empty when there is none, or more than one.
std::string_view only(const http::Fields& fields, std::string_view name) {
  std::string_view out;
  int lines = 0;
  for (const http::Field& line : fields) {
    if (!iequals(line.name, name)) continue;
    out = line.value;
    ++lines;
  }
  return lines == 1 ? out : std::string_view{};
}

std::optional<TraceContext> extract(http::Fields& fields, Propagator propagator) {
  switch (propagator) {
    case Propagator::TraceContext: {
      auto out = read_traceparent(only(fields, kTraceparent));
      if (out && fields.has(kTracestate))
        out->state = fields.arena().copy(read_tracestate(fields.joined(kTracestate)));
      return out;
    }
    case Propagator::B3:
    case Propagator::B3Multi:
      if (auto out = read_b3(only(fields, kB3))) return out;
      return read_b3_multi(fields);
    case Propagator::Jaeger: return read_jaeger(only(fields, kJaeger));
    case Propagator::Baggage: return std::nullopt;
  }
  return std::nullopt;
}

}  // namespace

void append_hex(std::string& out, std::span<const std::uint8_t> bytes) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  for (const std::uint8_t byte : bytes) {
    out += kDigits[byte >> 4];
    out += kDigits[byte & 15];
  }
}

std::string hex(std::span<const std::uint8_t> bytes) {
  std::string out;
  append_hex(out, bytes);
  return out;
}

Propagators read_propagators(std::string_view text, std::vector<std::string>& unknown) {
  if (trim(text).empty()) return {Propagator::TraceContext, Propagator::Baggage};
  Propagators out;
  for (const std::string_view part : split(text, ',')) {
    const std::string name = lower(trim(part));
    if (name == "tracecontext")
      out.push_back(Propagator::TraceContext);
    else if (name == "baggage")
      out.push_back(Propagator::Baggage);
    else if (name == "b3")
      out.push_back(Propagator::B3);
    else if (name == "b3multi")
      out.push_back(Propagator::B3Multi);
    else if (name == "jaeger")
      out.push_back(Propagator::Jaeger);
    else if (!name.empty() && name != "none")
      unknown.emplace_back(trim(part));
  }
  return out;
}

// version "-" trace-id "-" parent-id "-" trace-flags (W3C Trace Context §3.2). A later version may say more
// behind a further dash; ff is none.
std::optional<TraceContext> read_traceparent(std::string_view value) {
  constexpr std::size_t kSize = 55;
  if (value.size() < kSize || value[2] != '-' || value[35] != '-' || value[52] != '-') return std::nullopt;
  const std::string_view known = value.substr(0, kSize);
  if (!std::ranges::all_of(known, [](char c) { return is_lower_hex(c) || c == '-'; })) return std::nullopt;
  std::array<std::uint8_t, 1> version{};
  std::array<std::uint8_t, 1> flags{};
  TraceContext out;
  if (!read_hex(known.substr(0, 2), version) || !read_hex(known.substr(3, 32), out.trace) ||
      !read_hex(known.substr(36, 16), out.span) || !read_hex(known.substr(53, 2), flags))
    return std::nullopt;
  if (version[0] == 0xff || (version[0] == 0 && value.size() != kSize) ||
      (value.size() > kSize && value[kSize] != '-') || !names_a_span(out))
    return std::nullopt;
  out.sampled = (flags[0] & 1) != 0;
  return out;
}

// {trace}-{span}[-{sampled}[-{parent span}]]. A lone decision names no span, and is no context.
std::optional<TraceContext> read_b3(std::string_view value) {
  constexpr std::size_t kLongest = 32 + 1 + 16 + 1 + 1 + 1 + 16;
  if (value.empty() || value.size() > kLongest) return std::nullopt;
  const std::vector<std::string_view> parts = split(value, '-');
  TraceContext out;
  SpanId parent{};
  if (parts.size() < 2 || parts.size() > 4 || !is_b3_trace(parts[0]) || !read_number(parts[0], out.trace) ||
      !read_hex(parts[1], out.span) || !names_a_span(out))
    return std::nullopt;
  if (parts.size() > 2 && !read_b3_sampled(parts[2], out.sampled)) return std::nullopt;
  if (parts.size() > 3 && !read_hex(parts[3], parent)) return std::nullopt;
  return out;
}

// {trace}:{span}:{parent span, not used}:{flags}: hexadecimal numbers.
std::optional<TraceContext> read_jaeger(std::string_view value) {
  constexpr std::size_t kLongest = 32 + 1 + 16 + 1 + 16 + 1 + 2;
  if (value.empty() || value.size() > kLongest) return std::nullopt;
  const std::vector<std::string_view> parts = split(value, ':');
  TraceContext out;
  SpanId parent{};
  std::array<std::uint8_t, 1> flags{};
  if (parts.size() != 4 || !read_number(parts[0], out.trace) || !read_number(parts[1], out.span) ||
      !read_number(parts[2], parent) || !read_number(parts[3], flags) || !names_a_span(out))
    return std::nullopt;
  out.sampled = (flags[0] & 3) != 0;  // 2: debug, which implies 1
  return out;
}

std::string read_tracestate(std::string_view value) {
  if (value.size() > kMaxRead) return {};
  std::vector<std::string_view> members;
  std::size_t size = 0;  // of all, with a comma behind each
  for (const std::string_view part : split(value, ',')) {
    const std::string_view member = trim(part);
    if (member.empty()) continue;
    const std::size_t equals = member.find('=');
    if (members.size() == kMaxMembers || equals == std::string_view::npos ||
        !is_key(member.substr(0, equals)) || !is_value(member.substr(equals + 1)))
      return {};
    const std::string_view key = member.substr(0, equals + 1);
    if (std::ranges::any_of(members, [&](std::string_view other) { return other.starts_with(key); }))
      return {};
    members.push_back(member);
    size += member.size() + 1;
  }
  // Long ones go first, then those on the right, which are the oldest.
  for (auto at = members.begin(); at != members.end() && size > kMaxState + 1;) {
    if (at->size() <= kLongMember) {
      ++at;
      continue;
    }
    size -= at->size() + 1;
    at = members.erase(at);
  }
  while (size > kMaxState + 1) {
    size -= members.back().size() + 1;
    members.pop_back();
  }
  std::string out;
  out.reserve(size);
  for (const std::string_view member : members) (out.empty() ? out : out += ',') += member;
  return out;
}

std::optional<TraceContext> extract(http::Fields& fields, const Propagators& propagators) {
  std::optional<TraceContext> out;
  for (const Propagator propagator : propagators)
    if (auto found = extract(fields, propagator)) out = found;
  return out;
}

void inject(const TraceContext& context, http::Fields& fields, const Propagators& propagators) {
  const bool sampled = context.sampled.value_or(false);
  const std::string trace = hex(context.trace);
  const std::string span = hex(context.span);
  for (const Propagator propagator : propagators) switch (propagator) {
      case Propagator::TraceContext:
        fields.set(kTraceparent, fields.arena().join("00-", trace, "-", span, sampled ? "-01" : "-00"));
        if (context.state.empty())
          fields.remove(kTracestate);
        else
          fields.set(kTracestate, context.state);
        break;
      case Propagator::B3:
        fields.set(kB3, fields.arena().join(trace, "-", span, sampled ? "-1" : "-0"));
        break;
      case Propagator::B3Multi:
        fields.set(kB3Trace, trace);
        fields.set(kB3Span, span);
        fields.set(kB3Sampled, sampled ? "1" : "0");
        fields.remove(kB3Parent);
        fields.remove(kB3Flags);
        break;
      case Propagator::Jaeger:
        fields.set(kJaeger, fields.arena().join(trace, ":", span, sampled ? ":0:1" : ":0:0"));
        break;
      case Propagator::Baggage: break;
    }
}

}  // namespace fairlead::observe
