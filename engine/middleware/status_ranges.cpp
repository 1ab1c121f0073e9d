#include "engine/middleware/status_ranges.h"

#include <algorithm>

namespace fairlead::middleware {

Configured<model::StatusRange> make_status_range(std::string_view option, const std::string& text,
                                                 schema::Problems& notices) {
  const auto range = model::parse_status_range(text);
  if (!range)
    return misconfigured(std::string(option), "`" + text + "` is no status or range such as 500 or 500-599");
  if (std::string remark = model::status_range_remark(text); !remark.empty()) {
    schema::Problem& notice = notices.emplace_back();
    notice.kind = schema::Problem::Kind::BadValue;
    notice.severity = schema::Severity::Notice;
    notice.path = notice.key = option;
    notice.what = std::move(remark);
  }
  return *range;
}

Configured<StatusRanges> StatusRanges::make(std::string_view option, const std::vector<std::string>& texts,
                                            schema::Problems& notices) {
  StatusRanges made;
  for (const std::string& text : texts) {
    const auto range = make_status_range(option, text, notices);
    if (!range) return std::unexpected(range.error());
    made.ranges_.push_back(*range);
  }
  return made;
}

bool StatusRanges::has(int status) const {
  return std::ranges::any_of(ranges_, [&](const model::StatusRange& range) { return range.has(status); });
}

}  // namespace fairlead::middleware
