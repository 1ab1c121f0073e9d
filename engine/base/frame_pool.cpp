#include "engine/base/frame_pool.h"

#include "engine/base/prefetch.h"

#include <array>
#include <new>

namespace fairlead {
namespace {

constexpr std::size_t kClassBytes = 64;
constexpr std::size_t kClasses = 33;  // up to 2 KiB; larger frames are rare and go to the heap
#if __has_feature(address_sanitizer)
constexpr std::size_t kKeptPerClass = 0;  // the sanitizer is to see the end of each
#else
constexpr std::size_t kKeptPerClass = 1024;
#endif

struct FreeFrame {
  FreeFrame* next;
  FreeFrame* after_next;
};

struct FreeLists {
  std::array<FreeFrame*, kClasses> first{};
  std::array<std::size_t, kClasses> count{};
  ~FreeLists() {
    for (FreeFrame* frame : first)
      while (frame) {
        FreeFrame* next = frame->next;
        ::operator delete(frame);
        frame = next;
      }
  }
};
thread_local FreeLists lists;

}  // namespace

void* take_frame(std::size_t bytes) {
  const std::size_t size_class = (bytes + kClassBytes - 1) / kClassBytes;
  if (size_class >= kClasses) return ::operator new(bytes);
  if (FreeFrame* frame = lists.first[size_class]) {
    lists.first[size_class] = frame->next;
    // A request soon wants it, and it was not touched for hundreds of them. The next one is on its way.
    prefetch(frame->after_next, size_class);
    --lists.count[size_class];
    return frame;
  }
  return ::operator new(size_class * kClassBytes);
}

void return_frame(void* frame, std::size_t bytes) {
  const std::size_t size_class = (bytes + kClassBytes - 1) / kClassBytes;
  if (size_class >= kClasses || lists.count[size_class] >= kKeptPerClass) return ::operator delete(frame);
  auto* free_frame = static_cast<FreeFrame*>(frame);
  free_frame->next = lists.first[size_class];
  free_frame->after_next = free_frame->next ? free_frame->next->next : nullptr;
  lists.first[size_class] = free_frame;
  ++lists.count[size_class];
}

}  // namespace fairlead
