#pragma once

#include "engine/base/clock.h"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <unordered_map>

namespace fairlead::observe {

// Keeps what happens ten thousand times a second from filling a disk with lines of the log: each kind is told
// when it begins, and again after a minute with the number of those in between. For one thread.
class PacedLines {
 public:
  static constexpr std::size_t kMostKinds = 512;

  // Whether a line of this kind is to be written now; if so, what belongs behind it: how many were not, or
  // nothing. Beyond kMostKinds within a minute none is: who makes up kinds writes no more lines by it.
  std::optional<std::string> pass(std::string kind, TimePoint now);

 private:
  struct Told {
    TimePoint at{};
    std::uint64_t since = 0;  // lines that were not written
  };
  std::unordered_map<std::string, Told> told_;
};

}  // namespace fairlead::observe
