#pragma once

#include "acme/order_failure.h"
#include "engine/base/clock.h"

#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

namespace fairlead::acme {

// The orders of a resolver whose certificates may still come, by their names: kept in memory, for a day. Any
// thread.
class OpenOrders {
 public:
  // One that this account made for these names.
  std::optional<OpenOrder> find(const std::vector<std::string>& names, const std::string& account) const;
  // How the last attempt for these names left it; nothing: it is of no use any more.
  void set(const std::vector<std::string>& names, const std::optional<OpenOrder>& order);

 private:
  struct Kept {
    OpenOrder order;
    TimePoint until;
  };
  mutable std::mutex mutex_;  // guards what follows
  std::map<std::vector<std::string>, Kept> all_;
};

}  // namespace fairlead::acme
