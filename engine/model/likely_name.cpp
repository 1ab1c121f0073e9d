#include "engine/model/likely_name.h"

#include "engine/base/strings.h"
#include "engine/model/merge.h"

namespace fairlead::model {
namespace {

// Longer ones are no slips of the pen, and the distance takes time by the square of the length.
constexpr std::size_t kLongest = 64;

}  // namespace

std::string likely_name(std::string_view missing, const std::vector<std::string_view>& known) {
  const QualifiedName wanted = split(missing);
  for (const std::string_view candidate : known)
    if (const QualifiedName other = split(candidate);
        other.provider != wanted.provider && iequals(other.name, wanted.name))
      return std::string(candidate);

  if (wanted.name.size() > kLongest) return {};
  const std::string name = lower(wanted.name);
  std::string_view nearest;
  std::size_t within = name.size() / 3 + 1;  // one letter of three may differ
  for (const std::string_view candidate : known) {
    const QualifiedName other = split(candidate);
    if (other.provider != wanted.provider || other.name.size() > kLongest) continue;
    const std::size_t distance = edit_distance(lower(other.name), name);
    if (distance >= within) continue;
    nearest = candidate;
    within = distance;
  }
  return std::string(nearest);
}

}  // namespace fairlead::model
