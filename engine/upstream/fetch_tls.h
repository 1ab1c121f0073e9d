#pragma once

#include "engine/upstream/fetch.h"
#include "engine/upstream/server.h"

namespace fairlead::upstream {

// How fetch() connects, with or without TLS options of its own.
TransportOptions fetch_transport(const FetchTls* tls);

}  // namespace fairlead::upstream
