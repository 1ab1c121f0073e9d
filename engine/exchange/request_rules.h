#pragma once

#include "engine/base/result.h"
#include "engine/exchange/entry_point.h"
#include "engine/exchange/exchange.h"

namespace fairlead::exchange {

// Everything that happens to a request before it is routed, once, for every protocol, in this order: '_'
// names, canonical path, query and host, fields that Connection names, X-Forwarded-*. Errors: {400, Client}.
Result<> apply_entry_rules(Exchange& x, const EntryPoint& entry_point);

}  // namespace fairlead::exchange
