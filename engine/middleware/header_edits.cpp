#include "engine/middleware/header_edits.h"

#include "engine/base/strings.h"
#include "engine/exchange/trailer_guard.h"
#include "engine/http/field_names.h"
#include "engine/http/url.h"

#include <fmt/format.h>

#include <algorithm>

namespace fairlead::middleware {
namespace {

bool frames_the_message(std::string_view name) {
  for (const std::string_view framing : {"Content-Length", "Transfer-Encoding", "Trailer"})
    if (http::same_header_folded(name, framing)) return true;
  return http::is_disguised_framing(name);
}

// What servers are told of the client may change; the access log goes by what it said when it came.
void note_client(exchange::Exchange& x) {
  if (!x.record.client_host.empty()) return;
  const std::string_view told = x.request.fields.get(http::Name::XForwardedFor);
  x.record.client_host = told.empty() ? x.client_ip : told;
}

}  // namespace

std::string on_one_line(std::string_view text) {
  std::string out(text);
  std::ranges::replace(out, '\n', ' ');
  return std::string(trim(out));
}

std::string canonical_field_name(std::string_view name) {
  std::string out(name);
  bool first = true;
  for (char& c : out) {
    c = first ? to_upper(c) : to_lower(c);
    first = c == '-';
  }
  return out;
}

Configured<HeaderEdits> HeaderEdits::make(std::string_view option,
                                          const std::map<std::string, std::string>& fields,
                                          schema::Problems& notices) {
  HeaderEdits made;
  for (const auto& [name, written] : fields) {
    const std::string value = option == "customResponseHeaders" ? on_one_line(written) : written;
    const std::string path = fmt::format("{}.{}", option, name);
    if (!http::is_token(name)) return misconfigured(path, "is no name of a header");
    if (!http::is_field_value(value)) return misconfigured(path, "has bytes that a header cannot carry");
    if (iequals(name, "Host") && option == "customRequestHeaders" && !value.empty()) {
      const auto authority = http::parse_authority(value);
      if (!authority) return misconfigured(path, fmt::format("{} is no host", quoted(value)));
      made.host_.emplace(value, "");
      http::canonical_host(*authority, made.host_->canonical);
      continue;
    }
    if (frames_the_message(name)) {
      schema::Problem& notice = notices.emplace_back();
      notice.kind = schema::Problem::Kind::Ignored;
      notice.severity = schema::Severity::Warning;
      notice.segments = {std::string(option), name};
      notice.path = path;
      notice.key = name;
      notice.what = "has no effect: it says how long a message is";
      continue;
    }
    std::string canonical = canonical_field_name(name);
    const http::Name known = http::known_name(canonical);
    made.edits_.push_back({std::move(canonical), std::string(trim(value)), known});
  }
  return made;
}

void HeaderEdits::apply_to_request(exchange::Exchange& x) const {
  http::Fields& fields = x.request.fields;
  for (const Edit& edit : edits_) {
    if (edit.known == http::Name::XForwardedFor) note_client(x);
    fields.remove_if([&](const http::Field& line) { return http::same_header_folded(line.name, edit.name); });
    if (edit.known == http::Name::XForwardedFor) x.null_forwarded_for = edit.value.empty();
    // Nobody waits for a 100 that the server is not asked for.
    if (edit.known == http::Name::Expect && !iequals(edit.value, "100-continue"))
      x.request.expects_continue = false;
    if (!edit.value.empty()) fields.append(edit.name, edit.value, edit.known);
  }
  if (!edits_.empty())
    guard_trailers(x, [this](std::string_view name) {
      return std::ranges::any_of(edits_,
                                 [&](const Edit& edit) { return http::same_header_folded(name, edit.name); });
    });
  if (!host_) return;
  x.request.authority = host_->authority;
  x.request.host = host_->canonical;
  if (http::Field* line = fields.find(http::Name::Host)) line->value = host_->authority;
}

void HeaderEdits::apply_to_response(http::Fields& fields) const {
  for (const Edit& edit : edits_) {
    if (edit.known == http::Name::Other)
      fields.remove(edit.name);
    else
      fields.remove(edit.known);
    if (!edit.value.empty()) fields.append(edit.name, edit.value, edit.known);
  }
}

}  // namespace fairlead::middleware
