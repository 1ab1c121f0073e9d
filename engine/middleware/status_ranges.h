#pragma once

#include "engine/base/result.h"

#include <string>
#include <string_view>
#include <vector>

namespace fairlead::middleware {

struct StatusRange {
  int first = 0;
  int last = 0;  // included
  bool has(int status) const { return first <= status && status <= last; }
  bool operator==(const StatusRange&) const = default;
};

// "500" or "500-599", each from 100 to 999.
Configured<StatusRange> parse_status_range(std::string_view text);

class StatusRanges {
 public:
  // Errors: {option, which one is wrong}.
  static Configured<StatusRanges> make(std::string_view option, const std::vector<std::string>& texts);

  bool has(int status) const;
  bool empty() const { return ranges_.empty(); }

 private:
  std::vector<StatusRange> ranges_;
};

}  // namespace fairlead::middleware
