#pragma once

#include "engine/exchange/exchange.h"
#include "engine/observe/trace.h"
#include "engine/upstream/server.h"

namespace fairlead::upstream {
struct Server;
}

namespace fairlead::service {

// One try of a request of a traced exchange on one server: a span "ReverseProxy", from before the connection
// is had until the head of the answer. The request's headers name it as their sender.
observe::OpenSpan begin_client_span(exchange::Exchange& x, const upstream::Server& server);
void end_client_span(const exchange::Exchange& x, observe::OpenSpan& open, const http::ResponseHead& answer);
void end_client_span(exchange::Exchange& x, observe::OpenSpan& open, const Error& error);

}  // namespace fairlead::service
