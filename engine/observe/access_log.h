#pragma once

#include "engine/model/observability.h"
#include "engine/observe/access_line.h"
#include "engine/observe/line_writer.h"

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>

namespace fairlead::observe {

// The access log: one line for each exchange. Shared by all workers; each writes through Lines of its own.
class AccessLog {
 public:
  explicit AccessLog(const model::AccessLog& options);

  // The buffer of one worker, which formats into it and hands it over whole: at the end of a tick, or when it
  // is full. Not thread-safe.
  class Lines {
   public:
    explicit Lines(std::shared_ptr<AccessLog> log) : log_(std::move(log)) {}
    // Adds a line if one is wanted. True when there is something to hand over.
    bool add(const Facts& facts);
    void hand_over() { log_->writer_.give(buffer_); }

   private:
    static constexpr std::size_t kFull = 64 * 1024;  // bytes

    std::shared_ptr<AccessLog> log_;
    TimeText times_;
    std::string buffer_;
  };

  const model::AccessLog& options() const { return options_; }
  bool wants_origin_head() const { return line_.wants_origin_head(); }
  void reopen() { writer_.reopen(); }
  bool flush(Duration at_most) { return writer_.flush(at_most); }
  std::uint64_t dropped_lines() const { return writer_.dropped_lines(); }

 private:
  const model::AccessLog options_;
  AccessLine line_;
  std::atomic<std::uint64_t> count_ = 0;
  LineWriter writer_;
};

}  // namespace fairlead::observe
