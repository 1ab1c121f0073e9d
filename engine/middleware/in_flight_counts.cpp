#include "engine/middleware/in_flight_counts.h"

namespace fairlead::middleware {

std::optional<InFlightCounts::Place> InFlightCounts::enter(std::string_view source, std::int64_t limit) {
  if (limit <= 0) return std::nullopt;
  Stripe& stripe = stripe_of(source);
  const std::lock_guard lock(stripe.mutex);
  const auto found = stripe.running.find(source);
  if (found == stripe.running.end()) {
    stripe.running.emplace(source, 1);
  } else {
    if (found->second >= limit) return std::nullopt;
    ++found->second;
  }
  return Place(*this, std::string(source));
}

void InFlightCounts::leave(const std::string& source) {
  Stripe& stripe = stripe_of(source);
  const std::lock_guard lock(stripe.mutex);
  const auto found = stripe.running.find(source);
  if (--found->second == 0) stripe.running.erase(found);
}

}  // namespace fairlead::middleware
