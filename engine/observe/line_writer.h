#pragma once

#include "engine/base/clock.h"
#include "engine/base/fd.h"

#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace fairlead::observe {

// A file, or stdout, that several threads give whole lines to; one thread of its own writes them. Nobody who
// gives ever waits for the disk: what it takes too slowly is dropped beyond a bound, counted, and said.
class LineWriter {
 public:
  static constexpr std::size_t kMaxWaiting = 16 * 1024 * 1024;  // bytes

  // An empty path is stdout. Directories are created; the file gets mode 0664. A file that cannot be opened
  // is reported and tried again with reopen() and once a minute; its lines are lost.
  explicit LineWriter(std::string path, std::size_t max_waiting_bytes = kMaxWaiting);
  // Writes what waits, but does not wait for a reader that stopped reading.
  ~LineWriter();
  LineWriter(const LineWriter&) = delete;
  LineWriter& operator=(const LineWriter&) = delete;

  // Takes the lines; `lines` comes back empty, with room for as many.
  void give(std::string& lines);
  // The file was moved away: writes to a new one from now on.
  void reopen();
  // Waits until everything given before is written; false when that took longer.
  bool flush(Duration at_most);
  std::uint64_t dropped_lines() const { return dropped_.load(std::memory_order_relaxed); }

 private:
  void run();
  void open();
  void write(const std::string& lines);
  std::string_view put(std::string_view bytes);
  void drop(const std::string& lines);
  bool wait_writable();
  void say_dropped();

  const std::string path_;
  const std::size_t max_waiting_;

  std::mutex mutex_;
  std::condition_variable given_;
  std::condition_variable written_;
  std::vector<std::string> waiting_;
  std::vector<std::string> spare_;
  std::size_t waiting_bytes_ = 0;
  std::uint64_t given_count_ = 0;
  std::uint64_t written_count_ = 0;
  bool idle_ = false;   // the thread waits without a time limit
  bool hurry_ = false;  // somebody waits in flush()
  bool reopen_ = false;
  std::atomic<bool> stopping_ = false;

  std::atomic<std::uint64_t> dropped_ = 0;
  std::uint64_t said_dropped_ = 0;
  TimePoint said_at_{};
  TimePoint tried_open_{};
  Fd file_;
  std::string rest_of_line_;  // of one that was cut off when the disk was full
  bool gave_up_ = false;      // at the end of the program: nobody reads
  bool slow_kind_ = false;    // a pipe, socket or terminal: may stop taking bytes
  std::thread thread_;
};

}  // namespace fairlead::observe
