#include "engine/upstream/server_state.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <queue>

namespace fairlead::upstream {
namespace {
constexpr std::int64_t kMaxSlots = 4096;
}

std::vector<std::uint16_t> make_schedule(const std::vector<int>& weights) {
  std::int64_t divisor = 0;
  std::int64_t sum = 0;
  for (const int weight : weights)
    if (weight > 0) {
      divisor = std::gcd(divisor, static_cast<std::int64_t>(weight));
      sum += weight;
    }
  if (sum == 0) return {};
  // Shares beyond the table's size are rounded, but nobody with a weight is lost.
  const double scale =
      std::min(1.0 / static_cast<double>(divisor), static_cast<double>(kMaxSlots) / static_cast<double>(sum));
  struct Turn {
    double deadline;
    std::uint16_t server;
    bool operator>(const Turn& other) const {
      return deadline != other.deadline ? deadline > other.deadline : server > other.server;
    }
  };
  std::priority_queue<Turn, std::vector<Turn>, std::greater<>> turns;
  std::size_t slots = 0;
  std::vector<double> steps(weights.size());
  for (std::size_t i = 0; i < weights.size(); ++i) {
    if (weights[i] <= 0) continue;
    const double share = std::max(1.0, std::round(weights[i] * scale));
    slots += static_cast<std::size_t>(share);
    steps[i] = 1.0 / share;
    turns.push({steps[i], static_cast<std::uint16_t>(i)});
  }
  std::vector<std::uint16_t> schedule;
  schedule.reserve(slots);
  while (schedule.size() < slots) {
    const Turn turn = turns.top();
    turns.pop();
    schedule.push_back(turn.server);
    turns.push({turn.deadline + steps[turn.server], turn.server});
  }
  return schedule;
}

}  // namespace fairlead::upstream
