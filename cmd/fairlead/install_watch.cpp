#include "cmd/fairlead/install_watch.h"

#include "engine/base/fd.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <cerrno>

namespace fairlead::cmd {
namespace {

constexpr auto kSettled = std::chrono::milliseconds(100);
constexpr auto kEmptyMeansEmpty = std::chrono::seconds(2);

// False for want of descriptors or memory: nobody tells its end, so what cannot be read now is not read yet.
bool can_be_tried(const std::string& path) {
  const Fd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  return file || (errno != EMFILE && errno != ENFILE && errno != ENOMEM);
}

}  // namespace

bool InstallWatch::due(const std::string& path, TimePoint now) {
  const FileStamp stamp(path);
  if (stamp != seen_) {
    seen_ = stamp;
    since_ = now;
  }
  if (!unsettled()) return false;
  const TimePoint::duration wanted = stamp.size == 0 ? TimePoint::duration(kEmptyMeansEmpty) : kSettled;
  if (now - since_ < wanted || !can_be_tried(path)) return false;
  read_ = stamp;
  return true;
}

void InstallWatch::reading(const std::string& path) {
  seen_ = FileStamp(path);
  if (can_be_tried(path)) read_ = seen_;
}

bool was_replaced(const std::string& path) {
  struct stat found{};
  return !path.empty() && ::stat(path.c_str(), &found) == 0 && found.st_nlink == 0;
}

}  // namespace fairlead::cmd
