#pragma once

#include "engine/base/clock.h"
#include "providers/file/scan.h"

#include <cstdint>
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

  // Replaces what is watched: directories, and files by themselves. Those that do not exist are left out.
  // True when something is watched that was not before: what changed in it meanwhile was not seen.
  bool set(const Watched& directories, const std::set<std::string>& files);
  // Whether changes of everything that exists would be seen.
  bool is_complete() const { return complete_; }

  // True when something changed, false at the deadline or after wake().
  bool wait(TimePoint deadline);

  void wake();  // any thread: ends the wait

 private:
  int add(const std::string& path, std::uint32_t events);
  bool matters(int watch, const char* name) const;

  int inotify_ = -1;
  int wake_ = -1;
  bool complete_ = true;
  bool said_incomplete_ = false;
  std::map<int, std::set<std::string>> watches_;  // names that matter by watch; none: all
};

}  // namespace fairlead::providers::file
