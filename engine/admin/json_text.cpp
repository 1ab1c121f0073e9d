#include "engine/admin/json_text.h"

#include <fmt/chrono.h>
#include <nlohmann/json.hpp>

#include <chrono>

namespace fairlead::admin {

using std::chrono::system_clock;

std::string dump(const nlohmann::ordered_json& json) {
  return json.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
}

std::string time_text(WallTime time) {
  const auto second = std::chrono::floor<std::chrono::seconds>(time);
  return fmt::format(
      "{:%Y-%m-%dT%H:%M:%SZ}",
      fmt::gmtime(system_clock::to_time_t(std::chrono::time_point_cast<system_clock::duration>(second))));
}

}  // namespace fairlead::admin
