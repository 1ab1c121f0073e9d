#pragma once

#include <cstddef>

namespace fairlead {

// Storage of coroutine frames: per-thread free lists by size class, so that a request that runs the same
// coroutines as the one before allocates nothing. A frame must be freed on the thread that took it, which
// holds because a coroutine never leaves its worker.
void* take_frame(std::size_t bytes);
void return_frame(void* frame, std::size_t bytes);

}  // namespace fairlead
