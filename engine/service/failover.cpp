#include "engine/service/failover.h"

namespace fairlead::service {

using exchange::Exchange;
using exchange::Response;

// With both down the main service answers: it says why, or holds the request for a successor.
Task<Response> Failover::serve(Exchange& x) const {
  const bool fallback_up = fallback_.up(x.pools);
  if (fallback_up && !main_.up(x.pools)) return fallback_.service->serve(x);
  return fallback_up ? try_both(x) : main_.service->serve(x);
}

Task<Response> Failover::try_both(Exchange& x) const {
  const http::RequestHead original = x.request;
  // A tunnel has no body that could be sent twice, and its answer is 101 or final.
  const bool by_status = errors_ && x.request.upgrade.empty() && !(x.body && x.body->tunnel());
  std::optional<exchange::Spool> body;
  if (by_status && x.body) {
    body.emplace(x.loop, exchange::SpoolLimits{.max_bytes = errors_->max_body_bytes});
    Result<> filled = co_await body->fill(*x.body);
    if (!filled) co_return exchange::failure(x, std::move(filled.error()));
    body->frame(x.request);
    x.body = body->body_if_any();
  }
  const bool may_hold = x.may_hold;
  x.may_hold = false;
  std::optional<Response> response;
  response.emplace(co_await main_.service->serve(x));
  x.may_hold = may_hold;
  const bool replay = by_status && errors_->counts(response->head.status);
  const bool untouched = response->retryable();
  if (!replay && !untouched) co_return std::move(*response);

  response.reset();  // before the body is put back: what is left of the try may still be reading it
  x.record.reason.clear();
  x.record.cause.reset();
  ++x.record.retries;
  x.request = original;
  if (body) {
    body->frame(x.request);
    x.body = body->body_if_any();
  }
  Response last = co_await fallback_.service->serve(x);
  // What the main service has acted upon is no request that could go anywhere else unnoticed.
  if (!untouched && last.cause) last.cause->retryable = false;
  co_return last;
}

}  // namespace fairlead::service
