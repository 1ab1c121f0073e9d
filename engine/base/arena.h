#pragma once

#include "engine/base/memory_budget.h"

#include <cstddef>
#include <cstring>
#include <memory>
#include <string_view>
#include <vector>

namespace fairlead {

// Bump storage for the strings of one exchange. What it hands out stays put until reset() or destruction,
// so views into it live as long as the exchange. The first block is kept by reset(): a recycled exchange
// allocates nothing for ordinary heads.
class Arena {
 public:
  // A power of two would have all of them begin in the same sets of the cache.
  explicit Arena(std::size_t first_block_bytes = 4400) : block_bytes_(first_block_bytes) {}
  Arena(const Arena&) = delete;
  Arena& operator=(const Arena&) = delete;
  ~Arena() {
    if (const std::size_t bytes = counted(); bytes > 0) MemoryBudget::instance().remove(bytes);
  }

  // `bytes` of uninitialised storage, unaligned: it is for characters only.
  char* take(std::size_t bytes) {
    if (bytes > left_) grow(bytes);
    char* out = next_;
    next_ += bytes;
    left_ -= bytes;
    return out;
  }

  // Gives back the unused end of the latest take(): `unused` bytes of it were not needed.
  void give_back(std::size_t unused) {
    next_ -= unused;
    left_ += unused;
  }

  std::string_view copy(std::string_view text) {
    if (text.empty()) return {};
    char* out = take(text.size());
    std::memcpy(out, text.data(), text.size());
    return {out, text.size()};
  }

  // "a" + "b" + … as one string of the arena.
  template <class... Parts>
  std::string_view join(const Parts&... parts) {
    const std::size_t size = (std::string_view(parts).size() + ... + 0);
    char* out = take(size);
    char* to = out;
    const auto add = [&to](std::string_view part) {
      if (part.empty()) return;  // it may have no bytes at all
      std::memcpy(to, part.data(), part.size());
      to += part.size();
    };
    (add(parts), ...);
    return {out, size};
  }

  void reset() {
    if (const std::size_t bytes = counted(); bytes > 0) MemoryBudget::instance().remove(bytes);
    if (blocks_.size() > 1) blocks_.resize(1);
    next_ = blocks_.empty() ? nullptr : blocks_.front().get();
    left_ = blocks_.empty() ? 0 : block_bytes_;
    total_ = blocks_.empty() ? 0 : block_bytes_;
  }

  std::size_t held() const { return total_; }  // bytes

 private:
  static constexpr std::size_t kCounts = 32 * 1024;

  // In the budget of buffered bytes: all workers share its counter, so that ordinary heads are left out.
  std::size_t counted() const { return total_ < kCounts ? 0 : total_; }

  void grow(std::size_t bytes) {
    const std::size_t size = bytes > block_bytes_ ? bytes : block_bytes_;
    const std::size_t before = counted();
    blocks_.push_back(std::make_unique_for_overwrite<char[]>(size));
    // Keep the standard block in front: it is the one that reset() retains.
    if (blocks_.size() == 1 && size != block_bytes_) {
      blocks_.insert(blocks_.begin(), std::make_unique_for_overwrite<char[]>(block_bytes_));
      total_ += block_bytes_;
    }
    next_ = blocks_.back().get();
    left_ = size;
    total_ += size;
    if (const std::size_t now = counted(); now != before) MemoryBudget::instance().add(now - before);
  }

  std::size_t block_bytes_;
  std::vector<std::unique_ptr<char[]>> blocks_;
  char* next_ = nullptr;
  std::size_t left_ = 0;
  std::size_t total_ = 0;
};

}  // namespace fairlead
