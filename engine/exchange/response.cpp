#include "engine/exchange/response.h"

#include "engine/exchange/exchange.h"
#include "engine/exchange/own_page.h"
#include "engine/exchange/request_id.h"

#include <algorithm>
#include <array>
#include <string>

namespace fairlead::exchange {
namespace {

// Reasons that pass by themselves, and how many seconds to wait: starting and stopping are a matter of
// moments, the others of somebody's doing.
struct Transient {
  std::string_view reason;
  std::string_view seconds;
};
constexpr std::array kTransient = {
    Transient{"starting", "2"},   Transient{"stopping", "2"},    Transient{"draining", "2"},
    Transient{"overload", "2"},   Transient{"memory", "5"},      Transient{"unhealthy", "5"},
    Transient{"paused", "10"},    Transient{"stopped", "10"},    Transient{"removed", "10"},
    Transient{"no server", "10"}, Transient{"unreachable", "5"},
};

std::string_view retry_after(std::string_view reason) {
  for (const Transient& row : kTransient)
    if (reason == row.reason) return row.seconds;
  return {};
}

// The class of a failure toward a server. `retryable`: nothing of the request got there.
std::string_view class_of(const Error& error) {
  if (error.fault != Fault::Upstream) return {};
  if (error.status == 504) return "no answer in time";
  if (error.status != 502) return {};
  return error.retryable ? "unreachable" : "no valid answer";
}

bool is_loopback(const net::Ip& ip) {
  static const net::Cidr v4 = *net::Cidr::parse("127.0.0.0/8");
  static const net::Ip v6 = *net::Ip::parse("::1");
  return v4.contains(ip) || ip == v6;
}

bool may_see_detail(const Exchange& x) {
  if (!x.reasons || x.reasons->detail != ReasonDetail::Full) return false;
  return is_loopback(x.client.ip) || net::contains(x.reasons->trusted, x.client.ip);
}

// Go's http.NotFound, which is what Traefik sends for every 404 of its own, ends with a line feed.
std::string_view short_text(int status) {
  return status == 404 ? "404 page not found\n" : http::reason_phrase(status);
}

Response text_response(Exchange& x, int status, std::string_view content_type, std::string_view text) {
  Response response(x.arena());
  response.own = true;
  response.head.status = status;
  if (http::never_has_content(status)) return response;
  response.head.content_length = text.size();
  if (!content_type.empty()) response.head.fields.add(http::Name::ContentType, content_type);
  if (!text.empty()) response.body = http::text_body(text);
  return response;
}

}  // namespace

Response answer(Exchange& x, int status, std::string_view text) {
  OwnPage page{.status = status,
               .title = http::reason_phrase(status),
               .sentence = text.ends_with('\n') ? text.substr(0, text.size() - 1) : text,
               .reason = {},
               .detail = {},
               .request_id = request_id(x)};
  if (!x.reasons || x.reasons->detail != ReasonDetail::Off) page.reason = x.record.reason;
  if (x.record.cause && may_see_detail(x)) page.detail = x.record.cause->detail;

  Response response(x.arena());
  switch (preferred_form(x.request.fields.get(http::Name::Accept))) {
    case OwnForm::Html:
      response = text_response(x, status, "text/html; charset=utf-8", x.arena().copy(as_html(page)));
      break;
    case OwnForm::Json:
      response = text_response(x, status, "application/problem+json", x.arena().copy(as_problem_json(page)));
      break;
    case OwnForm::Text:
      response =
          text_response(x, status, kPlainText, text.empty() ? short_text(status) : x.arena().copy(text));
      break;
  }
  http::Fields& fields = response.head.fields;
  fields.append("X-Content-Type-Options", "nosniff", http::known_name("X-Content-Type-Options"));
  fields.append("X-Request-Id", page.request_id, http::known_name("X-Request-Id"));
  if (status == 503)
    if (const std::string_view seconds = retry_after(x.record.reason); !seconds.empty())
      fields.append("Retry-After", seconds, http::known_name("Retry-After"));
  return response;
}

Response failure(Exchange& x, Error error) {
  x.record.cause = error;
  if (const std::string_view reason = class_of(error); !reason.empty()) x.record.reason = reason;
  Response response = answer(x, error.status);
  response.cause = std::move(error);
  return response;
}

Response plain(Exchange& x, int status, std::string_view content_type, std::string_view text) {
  return text_response(x, status, content_type, text);
}

Response redirect(Exchange& x, int status, std::string_view location) {
  Response response = text_response(x, status, kPlainText, http::reason_phrase(status));
  response.head.fields.add(http::Name::Location, location);
  return response;
}

}  // namespace fairlead::exchange
