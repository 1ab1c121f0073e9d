#include "engine/schema/duration.h"

#include <charconv>
#include <cmath>
#include <cstdint>
#include <limits>

namespace fairlead::schema {
namespace {

constexpr std::int64_t kSecond = 1'000'000'000;

// The length of the unit at the start of `text`, and its nanoseconds; 0 when there is none.
std::size_t read_unit(std::string_view text, std::int64_t& nanoseconds) {
  struct Unit {
    std::string_view name;
    std::int64_t nanoseconds;
  };
  // "ms" before "m": the longest name counts. Both code points of the micro sign, as in Go.
  static constexpr Unit kUnits[] = {{"ns", 1},           {"us", 1'000},        {"\u00b5s", 1'000},
                                    {"\u03bcs", 1'000},  {"ms", 1'000'000},    {"s", kSecond},
                                    {"m", 60 * kSecond}, {"h", 3600 * kSecond}};
  for (const Unit& unit : kUnits)
    if (text.starts_with(unit.name)) {
      nanoseconds = unit.nanoseconds;
      return unit.name.size();
    }
  return 0;
}

bool is_digit(char c) { return c >= '0' && c <= '9'; }

}  // namespace

std::optional<Duration> parse_duration(std::string_view text) {
  bool negative = false;
  if (!text.empty() && (text[0] == '-' || text[0] == '+')) {
    negative = text[0] == '-';
    text.remove_prefix(1);
  }
  if (text.empty()) return std::nullopt;

  std::int64_t whole = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), whole);
  if (is_digit(text[0]) && end == text.data() + text.size()) {  // a bare integer: seconds
    if (error != std::errc{} || whole > std::numeric_limits<std::int64_t>::max() / kSecond)
      return std::nullopt;
    return Duration((negative ? -whole : whole) * kSecond);
  }

  long double total = 0;  // 64 bits of mantissa on x86-64: exact for every int64
  while (!text.empty()) {
    std::size_t digits = 0;
    while (digits < text.size() && is_digit(text[digits])) ++digits;
    std::size_t length = digits;
    long double number = 0;
    for (std::size_t i = 0; i < digits; ++i) number = number * 10 + (text[i] - '0');
    if (length < text.size() && text[length] == '.') {
      long double scale = 1;
      for (++length; length < text.size() && is_digit(text[length]); ++length, ++digits)
        number += (text[length] - '0') * (scale /= 10);
    }
    if (digits == 0) return std::nullopt;
    std::int64_t unit = 0;
    const std::size_t unit_length = read_unit(text.substr(length), unit);
    if (unit_length == 0) return std::nullopt;
    total += number * unit;
    text.remove_prefix(length + unit_length);
  }
  if (!(total < 9.2e18L)) return std::nullopt;
  const auto nanoseconds = static_cast<std::int64_t>(std::floor(total + 1e-6L));
  return Duration(negative ? -nanoseconds : nanoseconds);
}

std::string print_duration(Duration value) {
  std::int64_t count = value.count();
  if (count == 0) return "0s";
  // Unsigned, because the smallest int64 has no positive twin.
  std::uint64_t rest = count < 0 ? ~static_cast<std::uint64_t>(count) + 1 : static_cast<std::uint64_t>(count);
  std::string out = count < 0 ? "-" : "";

  const auto append_fraction = [&out](std::uint64_t amount, std::uint64_t unit) {
    out += std::to_string(amount / unit);
    std::uint64_t fraction = amount % unit;
    if (fraction == 0) return;
    std::string digits = std::to_string(fraction + unit).substr(1);  // keeps leading zeros
    digits.erase(digits.find_last_not_of('0') + 1);
    out += '.' + digits;
  };

  if (rest < 1'000) return out + std::to_string(rest) + "ns";
  if (rest < 1'000'000) return append_fraction(rest, 1'000), out + "\u00b5s";
  if (rest < static_cast<std::uint64_t>(kSecond)) return append_fraction(rest, 1'000'000), out + "ms";

  const std::uint64_t minute = 60 * static_cast<std::uint64_t>(kSecond);
  const std::uint64_t hours = rest / (60 * minute);
  const std::uint64_t minutes = rest / minute % 60;
  if (hours > 0) out += std::to_string(hours) + 'h';
  if (hours > 0 || minutes > 0) out += std::to_string(minutes) + 'm';
  append_fraction(rest % minute, kSecond);
  return out + 's';
}

}  // namespace fairlead::schema
