#pragma once

#include "engine/observe/facts.h"

#include <cstddef>
#include <string>

namespace fairlead::telemetry {

// Appends the spans of an exchange that has ended, encoded; their number. None when it was not sampled.
std::size_t append_spans(std::string& out, const observe::Facts& facts);

}  // namespace fairlead::telemetry
