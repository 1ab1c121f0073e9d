#include "acme/open_orders.h"

namespace fairlead::acme {
namespace {

// A certificate that does not come for so long never will.
constexpr auto kStaysOpen = std::chrono::hours(24);

}  // namespace

std::optional<OpenOrder> OpenOrders::find(const std::vector<std::string>& names,
                                          const std::string& account) const {
  const std::lock_guard lock(mutex_);
  const auto found = all_.find(names);
  if (found == all_.end() || found->second.order.account != account ||
      found->second.until <= std::chrono::steady_clock::now())
    return std::nullopt;
  return found->second.order;
}

void OpenOrders::set(const std::vector<std::string>& names, const std::optional<OpenOrder>& order) {
  const TimePoint now = std::chrono::steady_clock::now();
  const std::lock_guard lock(mutex_);
  std::erase_if(all_, [now](const auto& entry) { return entry.second.until <= now; });
  const auto known = all_.find(names);
  if (!order) {
    if (known != all_.end()) all_.erase(known);
  } else if (known == all_.end() || known->second.order.url != order->url) {
    all_.insert_or_assign(names, Kept{*order, now + kStaysOpen});
  }
}

}  // namespace fairlead::acme
