#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

namespace fairlead::schema {

using Duration = std::chrono::nanoseconds;

// A bare integer is seconds, else Go's syntax ("1h2m3s", "100ms", "-1.5s"). Empty for anything else,
// out of range included.
std::optional<Duration> parse_duration(std::string_view text);

// As Go prints it: "1m30s", "1.5s", "100ms", "0s".
std::string print_duration(Duration value);

}  // namespace fairlead::schema
