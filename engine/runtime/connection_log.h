#pragma once

#include "engine/observe/paced_lines.h"

#include <spdlog/spdlog.h>

#include <string_view>

namespace fairlead::runtime {

// The log's lines of connections and requests that come to nothing. Most are the client's own doing, and
// anybody can do it any number of times: what is written by default is paced (paced_lines.h), one line for
// all clients of whom the same is to be said. At DEBUG every one is written. One per worker.
class ConnectionLog {
 public:
  // make(peer) is the line that names this peer.
  template <class Make>
  void tell(spdlog::level::level_enum level, TimePoint now, std::string_view peer, Make make) {
    if (spdlog::should_log(spdlog::level::debug)) return spdlog::log(level, "{}", make(peer));
    if (!spdlog::should_log(level)) return;
    if (const auto more = lines_.pass(make(std::string_view()), now))
      spdlog::log(level, "{}{}", make(peer), *more);
  }

 private:
  observe::PacedLines lines_;
};

}  // namespace fairlead::runtime
