#include "engine/codec/h2/flood_guard.h"

namespace fairlead::codec::h2 {

std::string_view text(Flood kind) {
  constexpr std::array<std::string_view, kFloods> names = {
      "RST_STREAM", "CONTINUATION", "PING", "SETTINGS", "PRIORITY", "WINDOW_UPDATE", "empty DATA", "HEADERS"};
  return names[static_cast<std::size_t>(kind)];
}

bool FloodGuard::Allowance::spend(TimePoint now) {
  if (refilled == TimePoint{}) refilled = now;
  if (now > refilled) {
    const auto milliseconds = static_cast<std::uint64_t>(
        std::chrono::duration_cast<std::chrono::milliseconds>(now - refilled).count());
    // The time of a part of a unit is kept for the next time.
    if (const std::uint64_t units = milliseconds * per_second / 1000; units > 0) {
      earn(static_cast<std::uint32_t>(std::min<std::uint64_t>(units, most)));
      refilled = now;
    }
  }
  if (left == 0) return false;
  --left;
  return true;
}

bool FloodGuard::spend(Flood kind, TimePoint now) {
  return (kind == Flood::Reset ? resets_ : frames_).spend(now);
}

}  // namespace fairlead::codec::h2
