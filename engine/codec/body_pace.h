#pragma once

#include "engine/base/clock.h"

#include <algorithm>
#include <chrono>
#include <cstdint>

namespace fairlead::codec {

// How long a client may let us wait for the body of its request: a byte within readTimeout, and 240 B/s on
// average over the time spent waiting, so that a drip of single bytes ends and a long upload does not. Time
// in which nobody reads does not count. Set explicitly, readTimeout bounds the whole body too.
class BodyPace {
 public:
  static constexpr std::uint64_t kMinRate = 240;  // bytes per second

  void begin(TimePoint now) {
    begun_ = now;
    waited_ = {};
  }
  // When the wait that begins now has lasted too long, with `received` bytes so far; TimePoint::max() when
  // `read_timeout` is zero.
  TimePoint wait_begins(TimePoint now, Duration read_timeout, bool whole, std::uint64_t received) {
    wait_begun_ = now;
    if (read_timeout <= Duration{}) return TimePoint::max();
    const Duration allowed = read_timeout + std::chrono::seconds(received / kMinRate);
    TimePoint due = now + read_timeout;
    due = std::min(due, now + std::max(allowed - waited_, Duration(std::chrono::milliseconds(1))));
    if (whole) due = std::min(due, begun_ + read_timeout);
    return due;
  }
  void wait_ends(TimePoint now) { waited_ += now - wait_begun_; }

 private:
  TimePoint begun_{};
  TimePoint wait_begun_{};
  Duration waited_{};
};

}  // namespace fairlead::codec
