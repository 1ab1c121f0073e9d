#include "engine/middleware/status_ranges.h"

#include "engine/base/strings.h"

#include <algorithm>

namespace fairlead::middleware {

Configured<StatusRange> parse_status_range(std::string_view text) {
  const auto dash = text.find('-');
  const auto first = parse_digits(trim(text.substr(0, dash)));
  const auto last = dash == std::string_view::npos ? first : parse_digits(trim(text.substr(dash + 1)));
  if (!first || !last || *first < 100 || *last > 999 || *first > *last)
    return misconfigured("", "`" + std::string(text) + "` is no status or range such as 500 or 500-599");
  return StatusRange{static_cast<int>(*first), static_cast<int>(*last)};
}

Configured<StatusRanges> StatusRanges::make(std::string_view option, const std::vector<std::string>& texts) {
  StatusRanges made;
  for (const std::string& text : texts) {
    auto range = parse_status_range(text);
    if (!range) return misconfigured(std::string(option), std::move(range.error().what));
    made.ranges_.push_back(*range);
  }
  return made;
}

bool StatusRanges::has(int status) const {
  return std::ranges::any_of(ranges_, [&](const StatusRange& range) { return range.has(status); });
}

}  // namespace fairlead::middleware
