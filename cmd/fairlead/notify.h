#pragma once

#include "engine/base/clock.h"

#include <chrono>
#include <string>
#include <string_view>

namespace fairlead::cmd {

// Tells systemd how we are (sd_notify(3)): units with Type=notify wait for READY=1, those with WatchdogSec=
// for a sign of life. Says nothing where no NOTIFY_SOCKET is set. Belongs to the main thread.
class Notifier {
 public:
  static Notifier from_environment();

  // Entry points are open; said once.
  void ready();
  void stopping();
  // To be called at least every `interval()` while all is well.
  void alive(TimePoint now);
  // Half of the watchdog's time; an hour without one.
  std::chrono::milliseconds interval() const { return interval_; }

 private:
  void send(std::string_view state) const;

  std::string path_;  // of the socket; begins with '@' when it is abstract
  std::chrono::milliseconds interval_ = std::chrono::hours(1);
  bool watched_ = false;
  bool ready_ = false;
  TimePoint last_{};
};

}  // namespace fairlead::cmd
