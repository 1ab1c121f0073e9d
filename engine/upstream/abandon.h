#pragma once

#include "engine/event/loop.h"
#include "engine/net/transport.h"

#include <memory>

namespace fairlead::upstream {

// Closes a transport that is given up and hands it to the loop: it must not go away inside one of its own
// calls.
void abandon(event::Loop& loop, std::unique_ptr<net::Transport> transport);

}  // namespace fairlead::upstream
