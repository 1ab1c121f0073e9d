#pragma once

#include "engine/base/result.h"
#include "engine/base/task.h"
#include "engine/event/loop.h"
#include "engine/net/transport.h"

#include <memory>

namespace fairlead::upstream {

// A plain connection to `to`. Errors: {502, Upstream, retryable} when refused or unreachable, {504, Upstream,
// retryable} when it took longer than `timeout` (zero: as long as the kernel tries).
Task<Result<std::unique_ptr<net::Transport>>> dial(event::Loop& loop, net::Address to, Duration timeout);

}  // namespace fairlead::upstream
