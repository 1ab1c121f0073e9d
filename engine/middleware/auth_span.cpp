#include "engine/middleware/auth_span.h"

#include "engine/base/strings.h"
#include "engine/http/url.h"

#include <algorithm>

namespace fairlead::middleware {

observe::OpenSpan begin_auth_span(exchange::Exchange& x, upstream::FetchRequest& request) {
  observe::OpenSpan open(*x.trace, observe::SpanKind::Client, "AuthRequest", x.loop.now());
  http::Fields context(x.arena());
  x.trace->inject(context);
  // The client's own may be among the headers that are handed on.
  std::erase_if(request.headers, [&](const auto& header) {
    const bool state = iequals(header.first, "tracestate") && context.has("traceparent");
    return state || context.has(header.first);
  });
  for (const http::Field& line : context) request.headers.emplace_back(line.name, line.value);
  observe::Span* span = open.span();
  if (!span) return open;
  span->add("http.request.method", x.arena().copy(request.method));
  const auto target = http::split_target(request.url);
  const auto authority = target ? http::parse_authority(target->authority) : std::nullopt;
  if (!authority) return open;
  const bool secure = istarts_with(request.url, "https://");
  const std::string query = observe::safe_query(target->query, x.trace->tracer().safe_query);
  span->add("url.full", x.arena().join(secure ? "https://" : "http://", target->authority, target->path,
                                       query.empty() ? "" : "?", query));
  span->add("url.scheme", secure ? "https" : "http");
  const std::string_view host = x.arena().copy(authority->host);
  const auto port = parse_digits(authority->port).value_or(secure ? 443 : 80);
  span->add("server.address", host);
  span->add("server.port", static_cast<std::int64_t>(port));
  span->add("network.peer.address", host);
  span->add("network.peer.port", static_cast<std::int64_t>(port));
  return open;
}

void end_auth_span(exchange::Exchange& x, observe::OpenSpan& open,
                   const Result<upstream::FetchResponse>& answer) {
  if (observe::Span* span = open.span()) {
    if (answer) {
      span->add("http.response.status_code", answer->status);
      span->failed = answer->status >= 400;
    } else {
      span->failed = true;
      span->why = x.arena().copy(answer.error().detail);
      span->add("error.type", answer.error().status == 504 ? "timeout" : "connection_error");
    }
  }
  open.end(x.loop.now());
}

}  // namespace fairlead::middleware
