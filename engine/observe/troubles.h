#pragma once

#include "engine/observe/record.h"

#include <cstdint>
#include <string>
#include <unordered_map>

namespace fairlead::observe {

// What goes wrong between Fairlead and the servers belongs in the log, also where no access log is kept. But
// a server that fails ten thousand requests a second must fill no disk: each kind of trouble is told when it
// begins, and again after a minute with the number of exchanges in between. One per worker.
class Troubles {
 public:
  // The line for the log: which router, what its client got, why, and from which server. Empty when the
  // exchange had no trouble that is a server's or Fairlead's own, and when this kind was told of a moment
  // ago.
  std::string line(const Record& record);

 private:
  struct Told {
    TimePoint at{};
    std::uint64_t since = 0;  // exchanges that were not told of
  };
  std::unordered_map<std::string, Told> told_;  // by router, server, and class of the reason
};

}  // namespace fairlead::observe
