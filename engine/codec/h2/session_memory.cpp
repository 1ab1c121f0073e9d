#include "engine/codec/h2/session_memory.h"

#include "engine/base/assert.h"
#include "engine/base/frame_pool.h"

#include <sys/mman.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <mutex>
#include <vector>

namespace fairlead::codec::h2 {
namespace {

constexpr std::size_t kFrame = 24 * 1024;  // more than nghttp2's buffer of a frame
constexpr std::size_t kLeastFrame = 16 * 1024;
constexpr std::size_t kPage = 4096;

// In front of each piece of the free lists stands its size.
constexpr std::size_t kHead = 16;

std::size_t& size_of(void* at) { return *reinterpret_cast<std::size_t*>(static_cast<char*>(at) - kHead); }

void* take(std::size_t size) {
  char* const at = static_cast<char*>(take_frame(size + kHead)) + kHead;
  size_of(at) = size;
  return at;
}

char* frame_of_thread() {
  // Never freed, as sessions may outlive the thread by a moment; the list tells that they are not lost.
  static std::mutex mutex;
  static auto& frames = *new std::vector<char*>;
  thread_local char* const frame = [] {
    const std::lock_guard lock(mutex);
    return frames.emplace_back(new char[kFrame]);
  }();
  return frame;
}

}  // namespace

SessionMemory::SessionMemory() : frame_(frame_of_thread()) {}

SessionMemory::~SessionMemory() { std::free(table_); }

void SessionMemory::rest() {
  const char* const bytes = static_cast<const char*>(table_);
  if (!bytes || std::any_of(bytes, bytes + kPage, [](char c) { return c != 0; })) return;
  ::madvise(table_, kPage, MADV_DONTNEED);
}

void* SessionMemory::allocate(std::size_t size, void* self) {
  auto& memory = *static_cast<SessionMemory*>(self);
  if (!memory.making_ || memory.shares_frame_ || size <= kLeastFrame || size > kFrame) return take(size);
  memory.shares_frame_ = true;
  return memory.frame_;
}

void* SessionMemory::allocate_zeros(std::size_t count, std::size_t size, void* self) {
  auto& memory = *static_cast<SessionMemory*>(self);
  const std::size_t bytes = count * size;
  const bool is_table = memory.making_ && !memory.table_ && bytes == kPage;
  void* const at = is_table ? std::aligned_alloc(kPage, kPage) : take(bytes);
  FL_ASSERT(at, "memory was asked for before");
  if (is_table) memory.table_ = at;
  std::memset(at, 0, bytes);
  return at;
}

void* SessionMemory::change(void* at, std::size_t size, void* self) {
  auto& memory = *static_cast<SessionMemory*>(self);
  if (!at) return allocate(size, self);  // how nghttp2 asks for buffers
  FL_ASSERT(at != memory.frame_ && at != memory.table_, "frames and tables are replaced, not changed");
  void* const moved = take(size);
  std::memcpy(moved, at, std::min(size, size_of(at)));
  release(at, self);
  return moved;
}

void SessionMemory::release(void* at, void* self) {
  auto& memory = *static_cast<SessionMemory*>(self);
  if (!at || at == memory.frame_) return;
  if (at != memory.table_) return return_frame(static_cast<char*>(at) - kHead, size_of(at) + kHead);
  memory.table_ = nullptr;
  std::free(at);
}

}  // namespace fairlead::codec::h2
