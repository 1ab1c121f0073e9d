#pragma once

#include "engine/base/file_stamp.h"

#include <chrono>
#include <string>

namespace fairlead::cmd {

// Tells when the install file is to be read again. A writer may be at work: what changed must stand for a
// moment, an empty file for two seconds, as the files of the file provider do. A file that is gone says
// nothing.
class InstallWatch {
 public:
  using TimePoint = std::chrono::steady_clock::time_point;

  explicit InstallWatch(const std::string& path) : read_(path), seen_(read_) {}

  // True when what is there now is to be read; it counts as read then.
  bool due(const std::string& path, TimePoint now);
  // What is there now is being read for another reason.
  void reading(const std::string& path);
  // A change has been seen that does not stand yet.
  bool unsettled() const { return seen_ != read_ && seen_.exists(); }

 private:
  FileStamp read_;
  FileStamp seen_;
  TimePoint since_;
};

// Whether the name of the file leads to another one on the host by now, as it does when an editor writes
// beside a file and renames. One that is mounted alone stays here what it was.
bool was_replaced(const std::string& path);

}  // namespace fairlead::cmd
