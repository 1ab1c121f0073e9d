#pragma once

#include "engine/base/clock.h"

#include <cstdint>
#include <string>
#include <string_view>

namespace fairlead::observe {

// Dates as text. The text of a second is kept until another second is asked for: making it costs more than
// the rest of a log line. Belongs to one thread.
class TimeText {
 public:
  // RFC 3339 with as many digits of the fraction as it has, up to nanoseconds.
  void append_utc(std::string& out, WallTime time);
  void append_local(std::string& out, WallTime time);
  // RFC 3339, whole seconds, local.
  void append_local_second(std::string& out, WallTime time);
  // "02/Jan/2006:15:04:05 +0000", as the Common Log Format has it.
  void append_clf(std::string& out, WallTime time, bool utc);

 private:
  void look_up(WallTime time);

  std::int64_t second_ = INT64_MIN;
  std::string utc_;  // "2006-01-02T15:04:05"
  std::string local_;
  std::string local_zone_;  // "+02:00" or "Z"
  std::string clf_utc_;
  std::string clf_local_;
};

}  // namespace fairlead::observe
