#include "engine/model/reason.h"

namespace fairlead::model {

std::string_view name(ReasonKind kind) {
  switch (kind) {
    case ReasonKind::BadOption: return "bad option";
    case ReasonKind::MissingReference: return "missing reference";
    case ReasonKind::NotYet: return "not yet in effect";
    case ReasonKind::Deprecated: return "deprecated";
    case ReasonKind::Ineffective: return "without effect";
    case ReasonKind::Conflict: return "conflict";
    case ReasonKind::Shadowed: return "shadowed";
    case ReasonKind::NoServer: return "no server";
    case ReasonKind::Starting: return "starting";
    case ReasonKind::Unhealthy: return "unhealthy";
    case ReasonKind::Stopping: return "stopping";
    case ReasonKind::Stopped: return "stopped";
    case ReasonKind::Paused: return "paused";
    case ReasonKind::Removed: return "removed";
    case ReasonKind::NoNetwork: return "no shared network";
    case ReasonKind::NoPort: return "no port";
    case ReasonKind::Certificate: return "certificate";
    case ReasonKind::OutOfScope: return "out of scope";
  }
  return "";
}

std::string_view name(ServerState state) {
  switch (state) {
    case ServerState::Starting: return "starting";
    case ServerState::Ready: return "ready";
    case ServerState::Draining: return "draining";
    case ServerState::Gone: return "gone";
  }
  return "";
}

}  // namespace fairlead::model
