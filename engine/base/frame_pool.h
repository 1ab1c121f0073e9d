#pragma once

#include <cstddef>

namespace fairlead {

// Storage of coroutine frames: per-thread free lists by size class, so that a request that runs the same
// coroutines as the one before allocates nothing. A frame must be freed on the thread that took it, which
// holds because a coroutine never leaves its worker.
void* take_frame(std::size_t bytes);
void return_frame(void* frame, std::size_t bytes);

// The same storage for a container that every request fills anew.
template <class T>
struct FrameAllocator {
  using value_type = T;
  FrameAllocator() = default;
  template <class U>
  FrameAllocator(const FrameAllocator<U>&) {}
  T* allocate(std::size_t count) { return static_cast<T*>(take_frame(count * sizeof(T))); }
  void deallocate(T* at, std::size_t count) { return_frame(at, count * sizeof(T)); }
  bool operator==(const FrameAllocator&) const = default;
};

}  // namespace fairlead
