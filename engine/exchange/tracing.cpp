#include "engine/exchange/tracing.h"

#include "engine/exchange/entry_point.h"

namespace fairlead::exchange {

void begin_trace(Exchange& x, const EntryPoint& entry_point, const Route* route) {
  const observe::Tracer& tracer = *entry_point.tracer;
  if (route ? !route->traces || (route->internal && !tracer.internals) : !entry_point.traces) return;
  http::Fields& fields = x.request.fields;
  x.trace = std::make_unique<observe::Trace>(tracer, observe::extract(fields, tracer.propagators),
                                             route && route->detailed_traces);
  if (!x.trace->sampled()) return;
  // Before any middleware changes them; what else is told of the request stands in the record.
  observe::Span& server = x.trace->server();
  server.begun = x.record.begun;
  server.add("user_agent.original", fields.get(http::Name::UserAgent));
  observe::capture_headers(server, "http.request.header.", tracer.request_headers, fields);
}

Task<Response> TracedMiddleware::handle(Exchange& x, Next next) const {
  if (!x.trace || !x.trace->detailed()) return inner_->handle(x, next);
  return in_span(x, next);
}

Task<Response> TracedMiddleware::in_span(Exchange& x, Next next) const {
  observe::OpenSpan open(*x.trace, observe::SpanKind::Internal, type_, x.loop.now());
  if (observe::Span* span = open.span()) span->add("traefik.middleware.name", name_);
  Response response = co_await inner_->handle(x, next);
  open.end(x.loop.now());
  co_return response;
}

Task<Response> TracedService::serve(Exchange& x) const {
  if (!x.trace || !x.trace->detailed()) return inner_->serve(x);
  return in_span(x);
}

Task<Response> TracedService::in_span(Exchange& x) const {
  observe::OpenSpan open(*x.trace, observe::SpanKind::Internal, router_.empty() ? "Service" : "Router",
                         x.loop.now());
  if (observe::Span* span = open.span()) {
    span->add("traefik.service.name", service_);
    span->add("traefik.router.name", router_);
    span->add("http.route", rule_);
  }
  Response response = co_await inner_->serve(x);
  open.end(x.loop.now());
  co_return response;
}

}  // namespace fairlead::exchange
