#include "engine/observe/access_fields.h"

#include "engine/base/strings.h"
#include "engine/http/fields.h"
#include "engine/observe/access_line.h"
#include "engine/observe/json_text.h"
#include "engine/schema/suggest.h"

#include <fmt/format.h>

#include <algorithm>

namespace fairlead::observe {
namespace {

constexpr std::array<std::string_view, kAccessFields> kNames = {
    "ClientAddr",       "ClientHost",       "ClientPort",    "ClientUsername",    "DownstreamContentSize",
    "DownstreamStatus", "Duration",         "GzipRatio",     "OriginContentSize", "OriginDuration",
    "OriginStatus",     "Overhead",         "Reason",        "RequestAddr",       "RequestContentSize",
    "RequestCount",     "RequestHost",      "RequestMethod", "RequestPath",       "RequestPort",
    "RequestProtocol",  "RequestScheme",    "RetryAttempts", "RouterName",        "ServiceAddr",
    "ServiceName",      "ServiceURL",       "SpanId",        "StartLocal",        "StartUTC",
    "TLSCipher",        "TLSClientSubject", "TLSVersion",    "TraceId",           "entryPointName",
    "span_id",          "trace_id",
};

constexpr std::string_view kRedacted = "REDACTED";
// Joining lines of one name compares each with all: a head of a million lines must not cost a million
// squared.
constexpr std::size_t kMaxHeaders = 256;

KeptHeaders::Mode mode_of(std::string_view text) {
  if (text == "keep") return KeptHeaders::Mode::Keep;
  return text == "redact" ? KeptHeaders::Mode::Redact : KeptHeaders::Mode::Drop;
}

// Lines call a header request_User-Agent; options call it User-Agent. Empty: it has no such prefix.
std::string_view behind_prefix(std::string_view wanted) {
  for (const std::string_view prefix : {"request_", "origin_", "downstream_"})
    if (wanted.size() > prefix.size() && iequals(wanted.substr(0, prefix.size()), prefix))
      return wanted.substr(prefix.size());
  return {};
}

}  // namespace

std::string_view name(AccessField field) { return kNames[static_cast<std::size_t>(field)]; }

std::vector<std::string> unknown_fields(const model::AccessLogFields& options) {
  std::vector<std::string> out;
  for (const auto& [wanted, mode] : options.headers.names) {
    if (const std::string_view header = behind_prefix(wanted); !header.empty())
      out.push_back(fmt::format(
          "accessLog.fields.headers.names: no header is called \"{}\"; did you mean {}?", wanted, header));
    else if (!http::is_token(wanted))
      out.push_back(fmt::format("accessLog.fields.headers.names: \"{}\" is no header name", wanted));
  }
  for (const auto& [wanted, mode] : options.names) {
    if (std::ranges::any_of(kNames, [&](std::string_view known) { return iequals(known, wanted); })) continue;
    const std::string_view header = behind_prefix(wanted);
    if (!header.empty() || wanted.contains('-')) {
      out.push_back(fmt::format(
          "accessLog.fields.names: \"{}\" is a header; did you mean accessLog.fields.headers.names.{}?",
          wanted, header.empty() ? wanted : header));
      continue;
    }
    const std::string nearest = schema::nearest_choice(fmt::format("{}", fmt::join(kNames, "|")), wanted);
    out.push_back(fmt::format("accessLog.fields.names: the access log has no field \"{}\"; {}", wanted,
                              nearest.empty() ? fmt::format("there are {}", fmt::join(kNames, ", "))
                                              : fmt::format("did you mean {}?", nearest)));
  }
  return out;
}

KeptFields::KeptFields(const model::AccessLogFields& options) {
  if (options.default_mode != "drop") kept_.set();
  for (const auto& [wanted, mode] : options.names)
    for (std::size_t i = 0; i < kNames.size(); ++i)
      // A mode that there is not, told when the options were read, is none.
      if (iequals(kNames[i], wanted)) kept_[i] = mode == "keep" || (kept_[i] && mode != "drop");
}

KeptHeaders::KeptHeaders(const model::AccessLogHeaders& options) : default_(mode_of(options.default_mode)) {
  for (const auto& [header, mode] : options.names) names_[lower(header)] = mode_of(mode);
  any_ = default_ != Mode::Drop ||
         std::ranges::any_of(names_, [](const auto& entry) { return entry.second != Mode::Drop; });
}

KeptHeaders::Mode KeptHeaders::mode(std::string_view name) const {
  if (names_.empty()) return default_;
  const auto found = names_.find(lower(name));
  return found == names_.end() ? default_ : found->second;
}

std::string KeptHeaders::value(const http::Fields* fields, std::string_view name) const {
  std::string out;
  if (!any_ || !fields) return out;
  const Mode wanted = mode(name);
  if (wanted == Mode::Drop) return out;
  bool found = false;
  for (const http::Field& line : *fields) {
    if (!iequals(line.name, name)) continue;
    if (wanted == Mode::Redact) return std::string(kRedacted);
    if (std::exchange(found, true)) out += ',';
    out += line.value;
  }
  return out;
}

template <class Put>
void KeptHeaders::each(const http::Fields* fields, Put put) const {
  if (!any_ || !fields) return;
  const auto end = fields->begin() + static_cast<std::ptrdiff_t>(std::min(fields->size(), kMaxHeaders));
  std::string joined;
  for (auto line = fields->begin(); line != end; ++line) {
    if (line->known == http::Name::Host) continue;  // is RequestAddr
    const Mode wanted = mode(line->name);
    if (wanted == Mode::Drop) continue;
    const auto same = [&](const http::Field& other) { return iequals(other.name, line->name); };
    if (std::any_of(fields->begin(), line, same)) continue;
    if (wanted == Mode::Redact) {
      put(line->name, kRedacted);
      continue;
    }
    joined = line->value;
    for (auto other = line + 1; other != end; ++other)
      if (same(*other)) (joined += ',') += other->value;
    put(line->name, std::string_view(joined));
  }
}

void KeptHeaders::append_json(std::string& out, std::string_view prefix, const http::Fields* fields) const {
  each(fields, [&](std::string_view name, std::string_view value) {
    out += '"';
    out += prefix;
    out += canonical_header_name(name);  // a token: nothing to escape
    out += "\":";
    append_json_text(out, value);
    out += ',';
  });
}

void KeptHeaders::visit(std::string_view prefix, const http::Fields* fields, FieldVisitor& visitor) const {
  each(fields, [&](std::string_view name, std::string_view value) {
    visitor.text(std::string(prefix) + canonical_header_name(name), value);
  });
}

std::string canonical_header_name(std::string_view name) {
  std::string out(name);
  bool upper = true;
  for (char& c : out) {
    c = upper ? to_upper(c) : to_lower(c);
    upper = c == '-';
  }
  return out;
}

}  // namespace fairlead::observe
