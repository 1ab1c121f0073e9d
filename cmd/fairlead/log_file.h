#pragma once

#include "engine/base/fd.h"

#include <cstdint>
#include <string>
#include <string_view>
#include <thread>

namespace fairlead::cmd {

// The file of the log, or stdout: rotated when it is full. Rotated files are named after the time,
// "fairlead-2026-01-02T15-04-05.000.log", as Traefik names them. Not thread-safe.
class LogFile {
 public:
  struct Options {
    std::string path;                // empty: stdout
    std::uint64_t max_bytes = 0;     // 0: never rotated
    std::uint64_t max_backups = 0;   // 0: all kept
    std::uint64_t max_age_days = 0;  // 0: all kept
    bool compress = false;
  };

  explicit LogFile(Options options);
  ~LogFile();
  LogFile(const LogFile&) = delete;
  LogFile& operator=(const LogFile&) = delete;

  // A line with its end. A file that cannot be opened or written gives its lines to stderr.
  void write(std::string_view line);
  void reopen();

 private:
  void open();
  void send(std::string_view line);
  void rotate();
  // On a thread of its own: compressing takes seconds.
  static void tidy(const Options& options, const std::string& rotated);

  const Options options_;
  Fd file_;
  std::uint64_t size_ = 0;
  bool stalled_ = false;  // its reader took nothing the last time
  bool torn_ = false;     // and has half a line
  std::thread tidying_;
};

}  // namespace fairlead::cmd
