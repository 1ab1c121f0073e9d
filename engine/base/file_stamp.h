#pragma once

#include "engine/base/fd.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <cstdint>
#include <string>
#include <type_traits>

namespace fairlead {

// What a stat(2) says of a file: changes with every write, every rename over it, also of a link on the way,
// and with who may read it. Two that are equal are of one content, as far as a file system tells. Who could
// not read a file for want of descriptors must not take its stamp for read: nothing marks the end of that.
struct FileStamp {
  FileStamp() = default;
  explicit FileStamp(const std::string& path) {
    struct stat found{};
    if (path.empty() || ::stat(path.c_str(), &found) != 0) return;
    device = found.st_dev;
    inode = found.st_ino;
    size = found.st_size;
    modified = nanoseconds(found.st_mtim);
    changed = nanoseconds(found.st_ctim);
  }
  bool exists() const { return inode != 0; }
  bool operator==(const FileStamp&) const = default;

  dev_t device = 0;
  ino_t inode = 0;
  off_t size = 0;
  std::int64_t modified = 0;  // nanoseconds since 1970
  std::int64_t changed = 0;   // the same, of owner and mode too

 private:
  static std::int64_t nanoseconds(const timespec& time) {
    return std::int64_t{time.tv_sec} * 1'000'000'000 + time.tv_nsec;
  }
};
static_assert(std::has_unique_object_representations_v<FileStamp>, "its bytes can be hashed");

// Whether this process may read the file, and has a descriptor left to do so.
inline bool can_be_opened(const std::string& path) {
  return static_cast<bool>(Fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK)));
}

}  // namespace fairlead
