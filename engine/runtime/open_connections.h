#pragma once

#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

namespace fairlead::runtime {

// Open client connections by entry point, counted by all workers. Any thread.
class OpenConnections {
 public:
  using Count = std::atomic<std::uint64_t>;

  // The workers' parts of one entry point share it.
  std::shared_ptr<Count> of(const std::string& entry_point) {
    const std::lock_guard lock(mutex_);
    std::weak_ptr<Count>& kept = counts_[entry_point];
    std::shared_ptr<Count> count = kept.lock();
    if (!count) kept = count = std::make_shared<Count>(0);
    return count;
  }
  // Of entry points that are open, or still drain.
  std::vector<std::pair<std::string, std::uint64_t>> all() const {
    const std::lock_guard lock(mutex_);
    std::vector<std::pair<std::string, std::uint64_t>> out;
    for (const auto& [name, kept] : counts_)
      if (const auto count = kept.lock()) out.emplace_back(name, count->load(std::memory_order_relaxed));
    return out;
  }

 private:
  mutable std::mutex mutex_;
  std::map<std::string, std::weak_ptr<Count>> counts_;
};

}  // namespace fairlead::runtime
