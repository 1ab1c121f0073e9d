#pragma once

#include "engine/admin/udp_metrics.h"
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
  // Summed over the workers, sorted by entry point.
  std::vector<admin::UdpCounts> by_entry_point() const;

 private:
  mutable std::mutex mutex_;
  std::map<std::pair<std::string, int>, Shared> counters_;
};

}  // namespace fairlead::runtime
