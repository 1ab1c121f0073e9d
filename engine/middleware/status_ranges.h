#pragma once

#include "engine/base/result.h"
#include "engine/model/status_range.h"
#include "engine/schema/problem.h"

#include <string>
#include <string_view>
#include <vector>

namespace fairlead::middleware {

// Errors: {option, why the text is no range}. Notices: what its author should know about a range that can be
// read.
Configured<model::StatusRange> make_status_range(std::string_view option, const std::string& text,
                                                 schema::Problems& notices);

class StatusRanges {
 public:
  // Errors and notices as above, of the first text that is none.
  static Configured<StatusRanges> make(std::string_view option, const std::vector<std::string>& texts,
                                       schema::Problems& notices);

  bool has(int status) const;
  bool empty() const { return ranges_.empty(); }

 private:
  std::vector<model::StatusRange> ranges_;
};

}  // namespace fairlead::middleware
