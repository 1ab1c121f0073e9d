#pragma once

#include "engine/base/clock.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace fairlead::codec::h2 {

// What a peer can send without end, at little cost to itself.
enum class Flood : std::uint8_t {
  Reset,         // requests taken back, or broken so that we reset them (CVE-2023-44487, CVE-2025-8671)
  Continuation,  // a header section without end (CVE-2024-28182)
  Ping,          // CVE-2019-9512
  Settings,      // CVE-2019-9515
  Priority,      // CVE-2019-9513
  WindowUpdate,
  EmptyData,  // CVE-2019-9518
  Refused,    // requests beyond the streams that are allowed, before our SETTINGS were acknowledged
};
inline constexpr std::size_t kFloods = 8;
std::string_view text(Flood kind);  // "RST_STREAM"

// The patience of one connection. Two allowances, refilled by time and by useful work: one of requests that
// came to nothing, one of frames that carry nothing. An honest client never comes near either, whatever it
// does for however long.
class FloodGuard {
 public:
  // `streams`: that the client may have open at once. It may take them all back, open as many others, and
  // think better of it again.
  explicit FloodGuard(std::uint32_t streams) : resets_{resets_for(streams), kResetsPerSecond} {}

  // Frames of a kind; false when there were too many.
  bool spend(Flood kind, TimePoint now);
  // A request was taken back while it was being answered: as with a call that streams, it did not come to
  // nothing, and its frame alone counts.
  bool spend_late_reset(TimePoint now) { return frames_.spend(now); }
  // A request was answered.
  void answered() { resets_.earn(1); }
  // A DATA frame with `bytes` of payload, either way: its receiver may update windows for it.
  void carried(std::size_t bytes) { frames_.earn(4 + static_cast<std::uint32_t>(bytes / 512)); }

  static constexpr std::uint32_t kFewestResets = 200;
  static constexpr std::uint32_t kResetsPerSecond = 20;
  static constexpr std::uint32_t kFrames = 4000;
  static constexpr std::uint32_t kFramesPerSecond = 400;
  static constexpr std::uint32_t resets_for(std::uint32_t streams) {
    return std::max(kFewestResets, 2 * std::min(streams, kMostStreams));
  }

 private:
  struct Allowance {
    std::uint32_t most;
    std::uint32_t per_second;
    std::uint32_t left = most;
    TimePoint refilled{};

    bool spend(TimePoint now);
    void earn(std::uint32_t count) { left = left + count < most ? left + count : most; }
  };

  static constexpr std::uint32_t kMostStreams = 1U << 30;  // that can be counted twice

  Allowance resets_;
  Allowance frames_{kFrames, kFramesPerSecond};
};

}  // namespace fairlead::codec::h2
