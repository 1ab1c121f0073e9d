#pragma once

#include "engine/base/fd.h"
#include "engine/base/file_stamp.h"
#include "engine/base/result.h"

#include <functional>
#include <memory>
#include <string>
#include <string_view>

namespace fairlead::acme {

// The file behind a store, and the locks between instances that share it. Locks are of open file descriptions
// (fcntl(2)): the kernel gives them back when an instance ends in any way, and they work between containers
// that share a volume. Without a place for the lock file there are none.
class StoreFile {
 public:
  explicit StoreFile(std::string path);
  // The one path of a file for all its spellings, made or not yet. A link stays one: what it points to is
  // replaced.
  static std::string real_path(const std::string& path);

  FileStamp stamp() const { return FileStamp(path_); }

  // For reading; empty when there is no file. A mode looser than 0600 is corrected with a warning. When an
  // in-place rewrite was cut short, the copy is what stands beside it.
  Configured<Fd> open();
  // The same of any path, with nothing corrected.
  static Configured<Fd> open_as_it_is(const std::string& path);
  Configured<Fd> open_copy() const;

  // Gives a content in pieces, the same each time.
  using Sink = std::function<void(std::string_view)>;
  using Content = std::function<void(const Sink&)>;
  // Replaces the content: temporary file, fsync, rename, fsync of the directory. What cannot be renamed over
  // (a bind-mounted file, a directory of others) is rewritten in place, once the file has room for it, and
  // while a complete copy stands beside it where one can be put. A content that cannot be written leaves the
  // file as it was.
  Configured<> write(const Content& content);

  // Excludes other instances until it goes out of scope. Waits at most 10 s.
  class Guard {
   public:
    explicit Guard(int fd) : fd_(fd) {}
    Guard(Guard&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
    ~Guard();

   private:
    int fd_;
  };
  Guard lock();
  // One name, for as long as it is being ordered: false when another instance holds it.
  bool lock_name(std::string_view name);
  void unlock_name(std::string_view name);
  // Whether another instance uses the store at this moment.
  bool is_shared() const;

  const std::string& path() const { return path_; }

 private:
  Configured<> rewrite_in_place(const Content& content);

  const std::string path_;
  Fd lock_file_;
};

}  // namespace fairlead::acme
