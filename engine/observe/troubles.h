#pragma once

#include "engine/observe/paced_lines.h"
#include "engine/observe/record.h"

#include <string>

namespace fairlead::observe {

// What goes wrong between Fairlead and the servers belongs in the log, also where no access log is kept:
// each kind of trouble when it begins, and then once a minute (paced_lines.h). One per worker.
class Troubles {
 public:
  // The line for the log: which router, what its client got, why, and from which server. Empty when the
  // exchange had no trouble that is a server's or Fairlead's own, and when this kind was told of a moment
  // ago.
  std::string line(const Record& record);

 private:
  PacedLines lines_;  // by router, server, status and class of the reason
};

}  // namespace fairlead::observe
