#include "providers/docker/early_stops.h"

#include <algorithm>

namespace fairlead::providers::docker {
namespace {

// Beyond these it is a storm, or an engine that makes ids and signals up.
constexpr std::size_t kMostContainers = 1000;
constexpr std::size_t kMostSignals = 16;

}  // namespace

void EarlyStops::add(std::string_view host, std::string_view id, Stop stop) {
  if (stops_.size() >= kMostContainers) stops_.clear();
  std::vector<Stop>& stops = stops_[std::pair(std::string(host), std::string(id))];
  std::erase_if(stops, [&](const Stop& before) { return before.signal == stop.signal; });
  if (stops.size() < kMostSignals) stops.push_back(std::move(stop));
}

std::vector<EarlyStops::Stop> EarlyStops::take(std::string_view host, std::string_view id) {
  auto found = stops_.extract(std::pair(std::string(host), std::string(id)));
  return found.empty() ? std::vector<Stop>() : std::move(found.mapped());
}

}  // namespace fairlead::providers::docker
