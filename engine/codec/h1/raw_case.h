#pragma once

#include "engine/base/strings.h"

#include <ostream>
#include <string>
#include <string_view>

namespace fairlead::codec::h1::test {

// One row of a table of raw messages: where the rule stands, what it says, the bytes, and the status that the
// parser must answer with; 0 when it must accept.
struct RawCase {
  std::string_view rfc;
  std::string_view says;
  std::string bytes;
  int status = 0;
};

inline void PrintTo(const RawCase& row, std::ostream* out) {
  *out << row.rfc << ", " << row.says << ": " << quoted(row.bytes, 300);
}

}  // namespace fairlead::codec::h1::test
