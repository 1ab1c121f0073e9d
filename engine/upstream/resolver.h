#pragma once

#include "engine/base/result.h"
#include "engine/base/task.h"
#include "engine/event/loop.h"
#include "engine/net/address.h"

#include <string>
#include <vector>

namespace fairlead::upstream {

// Addresses of a host name by the system's resolver (so /etc/hosts and Docker's DNS count), on the lane for
// names, kept for 5 s per worker. Errors: {502, Upstream, retryable} when there is none.
Task<Result<std::vector<net::Ip>>> resolve(event::Loop& loop, std::string host);

}  // namespace fairlead::upstream
