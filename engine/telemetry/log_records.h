#pragma once

#include "engine/base/clock.h"
#include "engine/observe/access_line.h"
#include "engine/observe/facts.h"
#include "engine/observe/time_text.h"

#include <cstdint>
#include <string>
#include <string_view>

namespace fairlead::telemetry {

// Severities as OTLP numbers them.
enum class Severity : std::uint8_t { Trace = 1, Debug = 5, Info = 9, Warn = 13, Error = 17, Fatal = 21 };

// Appends an encoded record of the program's own log.
void append_log_record(std::string& out, WallTime time, Severity severity, std::string_view body);

// The same of an exchange that has ended: the fields of the access log as attributes, and the trace that it
// belongs to.
void append_access_record(std::string& out, const observe::AccessLine& line, const observe::Facts& facts,
                          std::uint64_t count, observe::TimeText& times);

}  // namespace fairlead::telemetry
