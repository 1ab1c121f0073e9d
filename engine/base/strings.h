#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace fairlead {

// ASCII only: what HTTP, DNS and label keys need; never the locale.
constexpr char to_lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; }
constexpr char to_upper(char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c; }
constexpr bool is_digit(char c) { return c >= '0' && c <= '9'; }
constexpr bool is_alpha(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

// -1 when `c` is no hexadecimal digit.
constexpr int hex_value(char c) {
  if (is_digit(c)) return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

constexpr bool iequals(std::string_view a, std::string_view b) {
  if (a.size() != b.size()) return false;
  for (std::size_t i = 0; i < a.size(); ++i)
    if (to_lower(a[i]) != to_lower(b[i])) return false;
  return true;
}

bool istarts_with(std::string_view text, std::string_view prefix);
std::string lower(std::string_view text);
std::string upper(std::string_view text);

// Without spaces and tabs at both ends (RFC 9110 §5.6.3, OWS).
std::string_view trim(std::string_view text);

// Parts between `separator`, empty ones included; one empty part for an empty text.
std::vector<std::string_view> split(std::string_view text, char separator);

std::string join(const std::vector<std::string>& parts, std::string_view separator);

// Decimal digits only, no sign, no white space, below 2^63; nothing else is a number here.
std::optional<std::uint64_t> parse_digits(std::string_view text);

// Optional sign and decimal digits.
std::optional<std::int64_t> parse_integer(std::string_view text);

// Quoted and with control bytes as \xNN, at most `max_bytes` of it: for log lines about hostile input.
std::string quoted(std::string_view text, std::size_t max_bytes = 128);

// Edit distance with transpositions, for "did you mean".
std::size_t edit_distance(std::string_view a, std::string_view b);

// FNV-1a, 64 bit: stable across runs and platforms, for carry-over keys; not for hostile input.
constexpr std::uint64_t fnv1a(std::string_view text, std::uint64_t seed = 14695981039346656037ULL) {
  for (const char c : text) seed = (seed ^ static_cast<unsigned char>(c)) * 1099511628211ULL;
  return seed;
}

}  // namespace fairlead
