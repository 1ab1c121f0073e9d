#include "engine/codec/h2/session_memory.h"

#include "engine/base/assert.h"
#include "engine/base/frame_pool.h"
#include "engine/base/memory_budget.h"
#include "engine/codec/h2/session_pages.h"

#include <algorithm>
#include <cstring>
#include <mutex>
#include <utility>
#include <vector>

namespace fairlead::codec::h2 {
namespace {

constexpr std::size_t kFrame = 24 * 1024;  // more than nghttp2's buffer of a frame
constexpr std::size_t kLeastFrame = 16 * 1024;
// Pieces of so much count as buffered bytes: long heads of answers that wait for a client to read.
constexpr std::size_t kCounts = 4096;

// In front of each piece stands its size.
constexpr std::size_t kHead = 16;
constexpr std::size_t kSmallClass = 32;  // bytes, head included

// What is set aside of each word that is not zero: how many words of zeros stand before it, which of its
// bytes are not zero, and those bytes. At the end a word of which none is.
constexpr std::size_t kWord = 8;
constexpr std::size_t kMaxAside = kSessionBytes / kWord * (kWord + 2) + 2;
constexpr std::uint8_t kLongGap = 255;  // so many words of zeros, and no word after them

std::size_t& size_of(void* at) { return *reinterpret_cast<std::size_t*>(static_cast<char*>(at) - kHead); }

std::size_t small_class(std::size_t bytes) { return (bytes - 1) / kSmallClass; }

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

bool is_zero(const char* word) {
  std::uint64_t value = 0;
  std::memcpy(&value, word, sizeof value);
  return value == 0;
}

// Into `to`; where it ends.
std::uint8_t* put_aside(const char* pages, std::uint8_t* to) {
  std::size_t gap = 0;
  for (const char* word = pages; word < pages + kSessionBytes; word += kWord) {
    if (is_zero(word)) {
      ++gap;
      continue;
    }
    for (; gap >= kLongGap; gap -= kLongGap) *to++ = kLongGap;
    *to++ = static_cast<std::uint8_t>(std::exchange(gap, 0));
    std::uint8_t& present = *to++;
    present = 0;
    for (std::size_t i = 0; i < kWord; ++i) {
      if (word[i] == 0) continue;
      present |= static_cast<std::uint8_t>(1U << i);
      *to++ = static_cast<std::uint8_t>(word[i]);
    }
  }
  *to++ = 0;
  *to++ = 0;
  return to;
}

void put_back(const std::uint8_t* from, char* pages) {
  for (char* word = pages;;) {
    const std::uint8_t gap = *from++;
    word += gap * kWord;
    if (gap == kLongGap) continue;
    const std::uint8_t present = *from++;
    if (present == 0) return;
    for (std::size_t i = 0; i < kWord; ++i)
      if (present >> i & 1) word[i] = static_cast<char>(*from++);
    word += kWord;
  }
}

}  // namespace

SessionMemory::SessionMemory() : frame_(frame_of_thread()), pages_(take_session_pages()) {}

SessionMemory::~SessionMemory() { return_session_pages(pages_, aside_ != nullptr); }

void SessionMemory::rest() {
  if (aside_) return;
  std::array<std::uint8_t, kMaxAside> bytes;
  const auto size = static_cast<std::size_t>(put_aside(pages_, bytes.data()) - bytes.data());
  aside_ = std::make_unique_for_overwrite<std::uint8_t[]>(size);
  std::memcpy(aside_.get(), bytes.data(), size);
  drop_session_pages(pages_);
}

void SessionMemory::wake() {
  if (!aside_) return;
  put_back(aside_.get(), pages_);
  aside_.reset();
}

bool SessionMemory::on_pages(const void* at) const { return at >= pages_ && at < pages_ + kSessionBytes; }

// Zeros; null when there is no place.
char* SessionMemory::take_on_pages(std::size_t bytes) {
  const std::size_t small = small_class(bytes);
  if (!making_ && small >= kSmallClasses) return nullptr;
  if (small < kSmallClasses && unused_[small] != 0) {
    char* const piece = pages_ + unused_[small];
    std::memcpy(&unused_[small], piece, sizeof unused_[small]);
    std::memset(piece, 0, sizeof unused_[small]);
    return piece;
  }
  const std::size_t whole = (small + 1) * kSmallClass;
  if (used_ + whole > kSessionBytes) return nullptr;
  char* const piece = pages_ + used_;
  used_ = static_cast<std::uint16_t>(used_ + whole);
  return piece;
}

void SessionMemory::return_on_pages(char* piece, std::size_t bytes) {
  const std::size_t small = small_class(bytes);
  std::memset(piece, 0, bytes);
  // Larger ones, tables that were outgrown, go with the pages.
  if (small >= kSmallClasses) return;
  std::memcpy(piece, &unused_[small], sizeof unused_[small]);
  unused_[small] = static_cast<std::uint16_t>(piece - pages_);
}

void* SessionMemory::take(std::size_t size) {
  char* at = take_on_pages(size + kHead);
  if (!at) {
    at = static_cast<char*>(take_frame(size + kHead));
    if (size >= kCounts) MemoryBudget::instance().add(size);
  }
  size_of(at + kHead) = size;
  return at + kHead;
}

void* SessionMemory::allocate(std::size_t size, void* self) {
  auto& memory = *static_cast<SessionMemory*>(self);
  if (!memory.making_ || memory.shares_frame_ || size <= kLeastFrame || size > kFrame)
    return memory.take(size);
  memory.shares_frame_ = true;
  return memory.frame_;
}

void* SessionMemory::allocate_zeros(std::size_t count, std::size_t size, void* self) {
  auto& memory = *static_cast<SessionMemory*>(self);
  void* const at = memory.take(count * size);
  if (!memory.on_pages(at)) std::memset(at, 0, count * size);
  return at;
}

void* SessionMemory::change(void* at, std::size_t size, void* self) {
  auto& memory = *static_cast<SessionMemory*>(self);
  if (!at) return allocate(size, self);  // how nghttp2 asks for buffers
  FL_ASSERT(at != memory.frame_, "frames are replaced, not changed");
  void* const moved = memory.take(size);
  std::memcpy(moved, at, std::min(size, size_of(at)));
  release(at, self);
  return moved;
}

void SessionMemory::release(void* at, void* self) {
  auto& memory = *static_cast<SessionMemory*>(self);
  if (!at || at == memory.frame_) return;
  char* const piece = static_cast<char*>(at) - kHead;
  const std::size_t size = size_of(at);
  if (memory.on_pages(at)) return memory.return_on_pages(piece, size + kHead);
  if (size >= kCounts) MemoryBudget::instance().remove(size);
  return_frame(piece, size + kHead);
}

}  // namespace fairlead::codec::h2
