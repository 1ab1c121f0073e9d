#pragma once

#include "engine/base/task.h"
#include "engine/exchange/exchange.h"
#include "engine/http/stream.h"
#include "engine/routing/subject.h"

namespace fairlead::exchange {

// The root of every exchange: rules, router, chain, then the answer to the client. Writes the record as it
// goes.
Task<void> serve(Exchange& x, http::ServerStream& stream, routing::Scratch& scratch);

}  // namespace fairlead::exchange
