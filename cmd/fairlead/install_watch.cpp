#include "cmd/fairlead/install_watch.h"

#include <sys/stat.h>

namespace fairlead::cmd {
namespace {

constexpr auto kSettled = std::chrono::milliseconds(100);
constexpr auto kEmptyMeansEmpty = std::chrono::seconds(2);

}  // namespace

FileStamp::FileStamp(const std::string& path) {
  struct stat found{};
  if (path.empty() || ::stat(path.c_str(), &found) != 0) return;
  inode = found.st_ino;
  size = found.st_size;
  seconds = found.st_mtim.tv_sec;
  nanoseconds = found.st_mtim.tv_nsec;
}

bool InstallWatch::due(const std::string& path, TimePoint now) {
  const FileStamp stamp(path);
  if (stamp != seen_) {
    seen_ = stamp;
    since_ = now;
  }
  if (!unsettled()) return false;
  const TimePoint::duration wanted = stamp.size == 0 ? TimePoint::duration(kEmptyMeansEmpty) : kSettled;
  if (now - since_ < wanted) return false;
  read_ = stamp;
  return true;
}

}  // namespace fairlead::cmd
