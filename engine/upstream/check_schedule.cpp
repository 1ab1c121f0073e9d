#include "engine/upstream/check_schedule.h"

#include <algorithm>

namespace fairlead::upstream {
namespace {

constexpr auto kBusyPause = std::chrono::milliseconds(20);  // while as many checks run as may

}  // namespace

CheckSchedule::CheckSchedule(event::Loop& loop, const RunningChecks& running, const ServerState& server,
                             Duration interval, Duration unhealthy)
    : loop_(loop),
      running_(running),
      server_(server),
      interval_(interval),
      unhealthy_(unhealthy),
      last_(loop.now()) {}

Task<void> CheckSchedule::next() {
  for (;;) {
    const Duration left = last_ + (server_.health.good() ? interval_ : unhealthy_) - loop_.now();
    if (left > Duration{}) {
      // In steps of the shorter one: requests that fail may take the server out meanwhile.
      co_await loop_.sleep(std::min({left, interval_, unhealthy_}));
      continue;
    }
    // Nobody asks a container that does not run: the address may be another's by now.
    const bool runs = server_.phase.load(std::memory_order_relaxed) == Phase::Ready;
    while (runs && running_.full()) co_await loop_.sleep(kBusyPause);
    last_ = loop_.now();
    if (runs) co_return;
  }
}

}  // namespace fairlead::upstream
