#pragma once

#include "engine/exchange/exchange.h"
#include "engine/observe/trace.h"
#include "engine/upstream/fetch.h"

namespace fairlead::middleware {

// The span "AuthRequest" of a traced exchange that asks another server, which `request` then names as its
// sender.
observe::OpenSpan begin_auth_span(exchange::Exchange& x, upstream::FetchRequest& request);
void end_auth_span(exchange::Exchange& x, observe::OpenSpan& open,
                   const Result<upstream::FetchResponse>& answer);

}  // namespace fairlead::middleware
