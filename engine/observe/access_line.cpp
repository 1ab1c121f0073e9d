#include "engine/observe/access_line.h"

#include "engine/base/strings.h"
#include "engine/http/fields.h"
#include "engine/observe/json_text.h"
#include "engine/observe/trace.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace fairlead::observe {
namespace {

using Field = AccessField;

// Lines of the text forms are taken apart at spaces, quotes and line ends: none may come from a peer.
void append_clean(std::string& out, std::string_view text, bool spaces = false) {
  if (text.empty()) text = "-";
  unsigned char before = 0;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    // U+0080 to U+009F, or no UTF-8: a terminal may take it for ESC (ECMA-48 §5.3).
    const bool is_c1 = byte >= 0x80 && byte < 0xa0 && (before == 0xc2 || before < 0x80);
    before = byte;
    if (byte < 0x20 || byte == 0x7f || is_c1 || (c == ' ' && !spaces))
      fmt::format_to(std::back_inserter(out), "\\x{:02x}", byte);
    else if (c == '"' || c == '\\')
      (out += '\\') += c;
    else
      out += c;
  }
}

void append_quoted(std::string& out, std::string_view text) {
  out += '"';
  append_clean(out, text, true);
  out += '"';
}

void append_number(std::string& out, auto number) {
  const fmt::format_int text(number);
  out.append(text.data(), text.size());
}

// The class of the reason, and behind it what exactly went wrong. That a tunnel ended is nothing wrong.
std::string_view reason(const Record& record, std::string& made) {
  if (!record.cause || record.cause->detail.empty() || record.status == 101) return record.reason;
  const std::string& detail = record.cause->detail;
  if (record.reason.empty() || record.reason == detail) return detail;
  return made = fmt::format("{}: {}", record.reason, detail);
}

struct HostAndPort {
  std::string_view host;
  std::string_view port = "-";
};

// As Go's net.SplitHostPort: an IPv6 address loses its brackets where a port follows.
HostAndPort split_authority(std::string_view authority) {
  const std::size_t colon = authority.rfind(':');
  if (colon == std::string_view::npos || authority.find(']', colon) != std::string_view::npos)
    return {authority};
  std::string_view host = authority.substr(0, colon);
  if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
  return {host, authority.substr(colon + 1)};
}

Duration duration(const Record& record) { return std::max(record.ended - record.begun, Duration{}); }

// The peer as text. `made` holds it when nobody has made it before.
std::string_view client_ip(const Facts& facts, std::string& made) {
  if (!facts.client_ip.empty()) return facts.client_ip;
  return made = facts.record.client.ip.text();
}

std::string_view client_host(const Facts& facts, std::string& made) {
  if (!facts.record.client_host.empty()) return facts.record.client_host;
  if (facts.request)
    if (const std::string_view forwarded = facts.request->get(http::Name::XForwardedFor); !forwarded.empty())
      return forwarded;
  return client_ip(facts, made);
}

// With those above it, as Traefik writes it.
std::string_view router(const Record& record) {
  return record.router_path.empty() ? record.router : record.router_path;
}

std::string client_address(const Facts& facts) {
  std::string made;
  const std::string_view ip = client_ip(facts, made);
  const fmt::format_int port(facts.record.client.port);
  const bool v6 = ip.find(':') != std::string_view::npos;
  std::string out;
  out.reserve(ip.size() + port.size() + 3);
  if (v6) out += '[';
  out += ip;
  out += v6 ? "]:" : ":";
  out.append(port.data(), port.size());
  return out;
}

// `"Name":` for each field.
const std::array<std::string, kAccessFields>& keys() {
  static const auto all = [] {
    std::array<std::string, kAccessFields> out;
    for (std::size_t i = 0; i < out.size(); ++i) out[i] = fmt::format("\"{}\":", name(static_cast<Field>(i)));
    return out;
  }();
  return all;
}

// `"Name":value,` for each field.
struct JsonOut {
  std::string& out;

  void key(Field field) { out += keys()[static_cast<std::size_t>(field)]; }
  void text(Field field, std::string_view value) {
    key(field);
    append_json_text(out, value);
    out += ',';
  }
  template <class Number>
  void number(Field field, Number value) {
    key(field);
    append_number(out, value);
    out += ',';
  }
  void real(Field field, double value) {
    key(field);
    fmt::format_to(std::back_inserter(out), "{},", value);
  }
  template <class Append>
  void time(Field field, Append append) {
    key(field);
    append(out += '"');
    out += "\",";
  }
};

struct VisitorOut {
  FieldVisitor& visitor;

  void text(Field field, std::string_view value) { visitor.text(name(field), value); }
  template <class Number>
  void number(Field field, Number value) {
    visitor.number(name(field), static_cast<std::int64_t>(value));
  }
  void real(Field field, double value) { visitor.real(name(field), value); }
  template <class Append>
  void time(Field field, Append append) {
    std::string made;
    append(made);
    visitor.text(name(field), made);
  }
};

}  // namespace

AccessLine::AccessLine(const model::AccessLog& options)
    : form_(options.format == "json"         ? Form::Json
            : options.format == "genericCLF" ? Form::GenericClf
                                             : Form::Common),
      fields_(options.fields),
      headers_(options.fields.headers),
      keep_query_(options.fields.query_parameters.default_mode != "drop"),
      internals_(options.add_internals),
      retried_(options.filters.retry_attempts),
      min_duration_(options.filters.min_duration) {
  for (const std::string& text : options.filters.status_codes) {
    if (const auto range = model::parse_status_range(text)) statuses_.push_back(*range);
  }
  filtered_ = !statuses_.empty() || retried_ || min_duration_ > Duration{};
}

bool AccessLine::wanted(const Record& record) const {
  if (!concerns(record)) return false;
  if (!filtered_) return true;
  const auto has_status = [&record](const model::StatusRange& range) { return range.has(record.status); };
  if (std::ranges::any_of(statuses_, has_status)) return true;
  if (retried_ && record.retries > 0) return true;
  return min_duration_ > Duration{} && duration(record) > min_duration_;
}

void AccessLine::append(std::string& out, const Facts& facts, std::uint64_t count, TimeText& times) const {
  if (form_ == Form::Json)
    append_json(out, facts, count, times);
  else
    append_common(out, facts, count, times);
}

// The absolute form is logged as its path, as Traefik does.
std::string_view AccessLine::path(const Record& record) const {
  std::string_view target = record.target;
  if (!target.starts_with('/'))
    if (const std::size_t scheme = target.find("://"); scheme != std::string_view::npos) {
      const std::size_t slash = target.find('/', scheme + 3);
      target = slash == std::string_view::npos ? "/" : target.substr(slash);
    }
  return keep_query_ ? target : target.substr(0, target.find('?'));
}

void AccessLine::append_json(std::string& out, const Facts& facts, std::uint64_t count,
                             TimeText& times) const {
  JsonOut json{out};
  out += '{';
  for (std::size_t i = 0; i < static_cast<std::size_t>(Field::EntryPointName); ++i)
    put_field(json, static_cast<Field>(i), facts, count, times);
  headers_.append_json(out, "downstream_", facts.response);
  put_field(json, Field::EntryPointName, facts, count, times);
  out += R"("level":"info","msg":"",)";
  headers_.append_json(out, "origin_", facts.origin);
  headers_.append_json(out, "request_", facts.request);
  put_field(json, Field::SpanIdSnake, facts, count, times);
  out += "\"time\":\"";
  times.append_local_second(out, facts.begun + duration(facts.record));
  out += "\",";
  put_field(json, Field::TraceIdSnake, facts, count, times);
  out.back() = '}';
  out += '\n';
}

void AccessLine::visit(const Facts& facts, std::uint64_t count, TimeText& times,
                       FieldVisitor& visitor) const {
  VisitorOut out{visitor};
  for (std::size_t i = 0; i < kAccessFields; ++i) put_field(out, static_cast<Field>(i), facts, count, times);
  headers_.visit("downstream_", facts.response, visitor);
  headers_.visit("origin_", facts.origin, visitor);
  headers_.visit("request_", facts.request, visitor);
}

// Gives `out` the field, unless it is dropped or there is nothing to say.
template <class Out>
void AccessLine::put_field(Out& out, Field field, const Facts& facts, std::uint64_t count,
                           TimeText& times) const {
  if (!fields_[field]) return;
  const Record& r = facts.record;
  const auto text = [&](std::string_view value) { out.text(field, value); };
  const auto some = [&](std::string_view value) {
    if (!value.empty()) text(value);
  };
  const auto number = [&](auto value) { out.number(field, value); };
  const auto time = [&](auto append) { out.time(field, append); };
  std::string made;
  const bool answered = r.origin_status != 0;
  const bool served = answered || !r.server_url.empty();
  switch (field) {
    case Field::ClientAddr: return text(client_address(facts));
    case Field::ClientHost: return text(client_host(facts, made));
    case Field::ClientPort: return text(fmt::format_int(r.client.port).c_str());
    case Field::ClientUsername: return text(r.user.empty() ? "-" : r.user);
    case Field::DownstreamContentSize: return number(r.response_bytes);
    case Field::DownstreamStatus: return number(r.status);
    case Field::Duration: return number(duration(r).count());
    case Field::GzipRatio:
      if (answered && r.response_bytes != 0 && r.origin_bytes != r.response_bytes) {
        out.real(field, static_cast<double>(r.origin_bytes) / static_cast<double>(r.response_bytes));
      }
      return;
    case Field::OriginContentSize: return answered ? number(r.origin_bytes) : void();
    case Field::OriginDuration: return served ? number(r.origin_duration.count()) : void();
    case Field::OriginStatus: return answered ? number(r.origin_status) : void();
    case Field::Overhead:
      return number((served ? duration(r) - std::min(r.origin_duration, duration(r)) : duration(r)).count());
    case Field::Reason: return some(reason(r, made));
    case Field::RequestAddr: return some(r.authority);
    case Field::RequestContentSize: return number(r.request_bytes);
    case Field::RequestCount: return number(count);
    case Field::RequestHost: return r.authority.empty() ? void() : text(split_authority(r.authority).host);
    case Field::RequestMethod: return text(r.method);
    case Field::RequestPath: return text(path(r));
    case Field::RequestPort: return r.authority.empty() ? void() : text(split_authority(r.authority).port);
    case Field::RequestProtocol: return text(r.protocol);
    case Field::RequestScheme: return text(r.scheme);
    case Field::RetryAttempts: return number(r.retries);
    case Field::RouterName: return some(router(r));
    case Field::ServiceAddr: return some(r.server_address);
    case Field::ServiceName: return r.reached_service ? some(r.service) : void();
    case Field::ServiceUrl: return some(r.server_url);
    case Field::SpanId:
    case Field::SpanIdSnake: return facts.trace ? text(hex(facts.trace->server_span())) : void();
    case Field::StartLocal: return time([&](std::string& to) { times.append_local(to, facts.begun); });
    case Field::StartUtc: return time([&](std::string& to) { times.append_utc(to, facts.begun); });
    case Field::TlsCipher: return some(r.tls_cipher);
    case Field::TlsClientSubject: return some(r.tls_client_subject);
    case Field::TlsVersion: return some(r.tls_version);
    case Field::TraceId:
    case Field::TraceIdSnake: return facts.trace ? text(hex(facts.trace->id())) : void();
    case Field::EntryPointName: return some(r.entry_point);
    case Field::kCount: return;
  }
}

// ClientHost - user [date] "METHOD path PROTO" status size "referer" "user-agent", and in Traefik's own form
// count "router" "serviceURL" 12ms.
void AccessLine::append_common(std::string& out, const Facts& facts, std::uint64_t count,
                               TimeText& times) const {
  const Record& r = facts.record;
  const auto kept = [this](Field field, std::string_view value) {
    return fields_[field] ? value : std::string_view{};
  };
  const auto number = [&](Field field, auto value) {
    if (fields_[field])
      append_number(out, value);
    else
      out += '-';
  };
  std::string made;
  append_clean(out, kept(Field::ClientHost, client_host(facts, made)), true);
  append_clean(out += " - ", kept(Field::ClientUsername, r.user));
  out += " [";
  if (fields_[Field::StartUtc] || fields_[Field::StartLocal])
    times.append_clf(out, facts.begun, fields_[Field::StartUtc]);
  else
    out += '-';
  append_clean(out += "] \"", kept(Field::RequestMethod, r.method));
  append_clean(out += ' ', kept(Field::RequestPath, path(r)));
  append_clean(out += ' ', kept(Field::RequestProtocol, r.protocol));
  out += "\" ";
  number(Field::DownstreamStatus, r.status);
  out += ' ';
  number(Field::DownstreamContentSize, r.response_bytes);
  append_quoted(out += ' ', headers_.value(facts.request, "Referer"));
  append_quoted(out += ' ', headers_.value(facts.request, "User-Agent"));
  if (form_ == Form::Common) {
    out += ' ';
    number(Field::RequestCount, count);
    append_quoted(out += ' ', kept(Field::RouterName, router(r)));
    append_quoted(out += ' ', kept(Field::ServiceUrl, r.server_url));
    out += ' ';
    append_number(out, fields_[Field::Duration] ? duration(r).count() / 1'000'000 : 0);
    out += "ms";
  }
  out += '\n';
}

}  // namespace fairlead::observe
