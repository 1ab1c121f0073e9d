#pragma once

#include "engine/udp/counters.h"

#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

namespace fairlead::runtime {

// The counters of all UDP entry points: each worker has its own, and keeps them when an entry point is closed
// and opened again, so that sums never fall. Any thread.
class UdpCounts {
 public:
  using Shared = std::shared_ptr<udp::Counters>;

  Shared of(const std::string& entry_point, int worker) {
    const std::lock_guard lock(mutex_);
    Shared& counters = counters_[{entry_point, worker}];
    if (!counters) counters = std::make_shared<udp::Counters>();
    return counters;
  }
  // One per worker and entry point, sorted by entry point.
  std::vector<std::pair<std::string, Shared>> all() const {
    const std::lock_guard lock(mutex_);
    std::vector<std::pair<std::string, Shared>> out;
    for (const auto& [key, counters] : counters_) out.emplace_back(key.first, counters);
    return out;
  }

 private:
  mutable std::mutex mutex_;
  std::map<std::pair<std::string, int>, Shared> counters_;
};

}  // namespace fairlead::runtime
