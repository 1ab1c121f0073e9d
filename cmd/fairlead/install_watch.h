#pragma once

#include <sys/types.h>

#include <chrono>
#include <ctime>
#include <string>

namespace fairlead::cmd {

// What a stat says about a file: changes with every write and every rename over it, also of a link on the
// way.
struct FileStamp {
  FileStamp() = default;
  explicit FileStamp(const std::string& path);
  bool exists() const { return inode != 0; }
  bool operator==(const FileStamp&) const = default;

  ino_t inode = 0;
  off_t size = 0;
  time_t seconds = 0;
  long nanoseconds = 0;
};

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

}  // namespace fairlead::cmd
