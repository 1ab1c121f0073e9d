#include "engine/runtime/phase.h"

#include <algorithm>

namespace fairlead::runtime {

upstream::Phase phase_of(model::ServerState state, const std::vector<model::Reason>& reasons) {
  const bool rests = std::ranges::any_of(reasons, [](const model::Reason& reason) {
    return reason.kind == model::ReasonKind::Paused || reason.kind == model::ReasonKind::Unhealthy;
  });
  switch (state) {
    case model::ServerState::Starting: return upstream::Phase::Starting;
    case model::ServerState::Ready: return upstream::Phase::Ready;
    case model::ServerState::Draining: return rests ? upstream::Phase::Resting : upstream::Phase::Draining;
    case model::ServerState::Gone: return upstream::Phase::Gone;
  }
  return upstream::Phase::Gone;
}

}  // namespace fairlead::runtime
