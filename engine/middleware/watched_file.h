#pragma once

#include "engine/base/result.h"

#include <functional>
#include <memory>
#include <string>

namespace fairlead::middleware {

// The whole of a file, at most 16 MiB. The error says why not: "open /etc/x: No such file or directory".
Configured<std::string> read_whole_file(const std::string& path);

// Looks at a file once a second, on one thread for all files of the process, and tells when its contents have
// changed. A file that becomes empty is believed after 2 s: until then an editor or a copy may be at work.
// One that disappears or cannot be read changes nothing.
class WatchedFile {
 public:
  // Called on the watching thread.
  using Changed = std::function<void(const std::string& contents)>;

  // `contents`: what the caller read before.
  WatchedFile(std::string path, std::string contents, Changed changed);
  // Waits for a call that is running.
  ~WatchedFile();
  WatchedFile(const WatchedFile&) = delete;
  WatchedFile& operator=(const WatchedFile&) = delete;

  // Looks at all files now, on the calling thread.
  static void look_at_all();

 private:
  friend class FileWatcher;
  struct Watch;
  std::shared_ptr<Watch> watch_;
};

}  // namespace fairlead::middleware
