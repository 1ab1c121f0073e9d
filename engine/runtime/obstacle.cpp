#include "engine/runtime/obstacle.h"

#include <fmt/format.h>

namespace fairlead::runtime {
namespace {

bool is_transient(model::ReasonKind kind) {
  using enum model::ReasonKind;
  return kind == Starting || kind == Unhealthy || kind == Stopping || kind == Stopped || kind == Paused ||
         kind == Removed;
}

}  // namespace

upstream::Obstacle obstacle_of(const model::Standing& standing) {
  upstream::Obstacle obstacle;
  obstacle.full_text = standing.name;
  if (standing.reasons.empty()) {
    obstacle.short_text = model::name(standing.state);
    obstacle.full_text += fmt::format(": {}", obstacle.short_text);
    return obstacle;
  }
  obstacle.short_text = model::name(standing.reasons.front().kind);
  obstacle.transient = is_transient(standing.reasons.front().kind);
  for (const model::Reason& reason : standing.reasons)
    obstacle.full_text += fmt::format(": {}{}{}", reason.text, reason.hint.empty() ? "" : "; ", reason.hint);
  return obstacle;
}

}  // namespace fairlead::runtime
