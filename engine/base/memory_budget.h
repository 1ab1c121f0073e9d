#pragma once

#include <atomic>
#include <cstddef>

namespace fairlead {

// The process-wide budget of buffered bytes: input that waits, output that the peer does not take, spools in
// memory. New work is refused (503, or the connection closed) while it is used up, so that allocation does
// not fail. Counted per block, with relaxed atomics: a rough bound, not an account.
class MemoryBudget {
 public:
  static MemoryBudget& instance() {
    static MemoryBudget budget;
    return budget;
  }

  // Bytes; 0 means no limit.
  void set_limit(std::size_t bytes) { limit_.store(bytes, std::memory_order_relaxed); }
  std::size_t limit() const { return limit_.load(std::memory_order_relaxed); }
  std::size_t used() const { return used_.load(std::memory_order_relaxed); }
  bool exhausted() const {
    const std::size_t limit = limit_.load(std::memory_order_relaxed);
    return limit != 0 && used_.load(std::memory_order_relaxed) >= limit;
  }
  void add(std::size_t bytes) { used_.fetch_add(bytes, std::memory_order_relaxed); }
  void remove(std::size_t bytes) { used_.fetch_sub(bytes, std::memory_order_relaxed); }

 private:
  std::atomic<std::size_t> used_ = 0;
  std::atomic<std::size_t> limit_ = 0;
};

}  // namespace fairlead
