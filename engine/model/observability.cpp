#include "engine/model/observability.h"

#include "engine/base/strings.h"

#include <algorithm>
#include <array>

namespace fairlead::model {

bool is_metric_label(std::string_view name) {
  constexpr std::array<std::string_view, 6> kOwn = {"code",    "method", "protocol",
                                                    "service", "router", "entrypoint"};
  // What begins with two is Prometheus's own.
  if (name.empty() || is_digit(name.front()) || name.starts_with("__")) return false;
  return std::ranges::all_of(name, [](char c) { return is_alpha(c) || is_digit(c) || c == '_'; }) &&
         std::ranges::find(kOwn, name) == kOwn.end();
}

}  // namespace fairlead::model
