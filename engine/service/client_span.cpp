#include "engine/service/client_span.h"

#include "engine/observe/protocol_version.h"
#include "engine/upstream/server_state.h"

namespace fairlead::service {
namespace {

// As it will be asked for, without what may be secret of the query.
std::string_view full_url(exchange::Exchange& x, const upstream::Server& server) {
  const http::RequestHead& head = x.request;
  const std::string_view scheme = server.address.scheme == upstream::Scheme::Https ? "https://" : "http://";
  const std::string_view base = server.preserve_path ? std::string_view(server.address.path) : "";
  const std::string_view path = head.path.empty() ? std::string_view("/") : head.path;
  if (head.query.empty()) return x.arena().join(scheme, server.address.host_port, base, path);
  return x.arena().join(scheme, server.address.host_port, base, path, "?",
                        observe::safe_query(head.query, x.trace->tracer().safe_query));
}

}  // namespace

observe::OpenSpan begin_client_span(exchange::Exchange& x, const upstream::Server& server) {
  observe::OpenSpan open(*x.trace, observe::SpanKind::Client, "ReverseProxy", x.loop.now());
  x.trace->inject(x.request.fields);
  observe::Span* span = open.span();
  if (!span) return open;
  // The set of servers may be swapped while the request waits.
  const std::string_view host = x.arena().copy(server.address.host);
  span->add("http.request.method", x.request.method);
  span->add("url.full", full_url(x, server));
  span->add("url.scheme", server.address.scheme == upstream::Scheme::Https ? "https" : "http");
  span->add("user_agent.original", x.request.fields.get(http::Name::UserAgent));
  span->add("server.address", host);
  span->add("server.port", server.address.port);
  span->add("network.peer.address", host);
  span->add("network.peer.port", server.address.port);
  observe::capture_headers(*span, "http.request.header.", x.trace->tracer().request_headers,
                           x.request.fields);
  return open;
}

void end_client_span(const exchange::Exchange& x, observe::OpenSpan& open, const http::ResponseHead& answer) {
  if (observe::Span* span = open.span()) {
    span->add("network.protocol.version", observe::protocol_version(http::text(answer.version)));
    span->add("http.response.status_code", answer.status);
    span->failed = answer.status >= 400;  // of a client's span, as semantic conventions have it
    observe::capture_headers(*span, "http.response.header.", x.trace->tracer().response_headers,
                             answer.fields);
  }
  open.end(x.loop.now());
}

void end_client_span(exchange::Exchange& x, observe::OpenSpan& open, const Error& error) {
  if (observe::Span* span = open.span()) {
    span->failed = true;
    span->why = x.arena().copy(error.detail);
    span->add("error.type", error.status == 504 ? "timeout" : "connection_error");
  }
  open.end(x.loop.now());
}

}  // namespace fairlead::service
