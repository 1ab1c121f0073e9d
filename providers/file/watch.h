#pragma once

#include "engine/base/clock.h"
#include "providers/file/scan.h"

#include <map>
#include <set>
#include <string>

namespace fairlead::providers::file {

// Waits for changes in directories (inotify). For one thread, but for wake().
class Watch {
 public:
  Watch();
  ~Watch();
  Watch(const Watch&) = delete;
  Watch& operator=(const Watch&) = delete;

  // Replaces what is watched. Directories that do not exist are left out. True when one is watched that was
  // not before: what changed in it meanwhile was not seen.
  bool set(const Watched& watched);

  // True when something changed, false at the deadline or after wake().
  bool wait(TimePoint deadline);

  void wake();  // any thread: ends the wait

 private:
  bool matters(int watch, const char* name) const;

  int inotify_ = -1;
  int wake_ = -1;
  std::map<int, std::set<std::string>> watches_;  // names that matter by watch; none: all
};

}  // namespace fairlead::providers::file
