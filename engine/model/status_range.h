#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace fairlead::model {

struct StatusRange {
  int first = 0;
  int last = 0;  // included
  bool has(int status) const { return first <= status && status <= last; }
  bool operator==(const StatusRange&) const = default;
};

// "500" or "500-599". As in Traefik the numbers have no limits, and what follows a second dash does not
// count.
std::optional<StatusRange> parse_status_range(std::string_view text);

// What the author of a range that can be read should know: that it matches no status, or that its end does
// not count. Empty when it means what it says.
std::string status_range_remark(std::string_view text);

}  // namespace fairlead::model
