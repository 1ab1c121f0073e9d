#include "engine/schema/scalar.h"

#include "engine/schema/node.h"

#include <charconv>
#include <cmath>

namespace fairlead::schema {
namespace {

template <class T>
bool parse_number(std::string_view text, T& out) {
  if (text.starts_with('+')) {  // Go takes a plus sign, from_chars does not
    text.remove_prefix(1);
    if (text.starts_with('-')) return false;
  }
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
  return error == std::errc{} && end == text.data() + text.size();
}

template <class T, class Value>
std::string store(void* object, const Value& value, Complaint complaint) {
  if (complaint) return std::move(*complaint);
  *static_cast<T*>(object) = static_cast<T>(value);
  return {};
}

}  // namespace

std::optional<bool> parse_bool(std::string_view text) {
  for (std::string_view yes : {"true", "1", "t", "T", "TRUE", "True"})
    if (text == yes) return true;
  for (std::string_view no : {"false", "0", "f", "F", "FALSE", "False"})
    if (text == no) return false;
  return std::nullopt;
}

std::string_view describe(TypeKind kind) {
  switch (kind) {
    case TypeKind::Bool: return "true or false";
    case TypeKind::Int:
    case TypeKind::Int64: return "an integer";
    case TypeKind::Real: return "a number";
    case TypeKind::Text: return "text";
    case TypeKind::Duration: return "a duration such as 30s or 1m30s";
    case TypeKind::Raw: return "anything";
    case TypeKind::Struct: return "a map of options";
    case TypeKind::Optional: return "a value";
    case TypeKind::List: return "a list";
    case TypeKind::Map: return "a map of names";
  }
  return "a value";
}

std::string parse_scalar(std::string_view text, TypeKind kind, void* object, const Check& check) {
  const auto integer = [&](std::int64_t value) {
    return check.integer ? check.integer(value) : std::nullopt;
  };
  switch (kind) {
    case TypeKind::Bool:
      if (const auto value = parse_bool(text)) return store<bool>(object, *value, std::nullopt);
      break;
    case TypeKind::Int:
      if (int value = 0; parse_number(text, value)) return store<int>(object, value, integer(value));
      break;
    case TypeKind::Int64:
      if (std::int64_t value = 0; parse_number(text, value))
        return store<std::int64_t>(object, value, integer(value));
      break;
    case TypeKind::Real:
      if (double value = 0; parse_number(text, value) && std::isfinite(value))
        return store<double>(object, value, check.real ? check.real(value) : std::nullopt);
      break;
    case TypeKind::Text:
      return store<std::string>(object, text, check.text ? check.text(text) : std::nullopt);
    case TypeKind::Duration:
      if (const auto value = parse_duration(text))
        return store<Duration>(object, *value, check.duration ? check.duration(*value) : std::nullopt);
      break;
    default: break;
  }
  return "expected " + std::string(describe(kind));
}

const Option* find_row(const TypeInfo& structure, std::string_view name) {
  for (const Option& row : structure.rows())
    if (equal_ignoring_case(row.name, name)) return &row;
  for (const Option& row : structure.rows())
    if (row.traits.alias && equal_ignoring_case(row.traits.alias, name)) return &row;
  return nullptr;
}

bool is_choice(std::string_view choices, std::string_view text) {
  while (true) {
    const std::size_t bar = choices.find('|');
    if (choices.substr(0, bar) == text) return true;
    if (bar == std::string_view::npos) return false;
    choices.remove_prefix(bar + 1);
  }
}

std::string_view trim(std::string_view text) {
  constexpr std::string_view kBlank = " \t\r\n";
  const std::size_t first = text.find_first_not_of(kBlank);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(kBlank) - first + 1);
}

std::string clip(std::string_view text) {
  constexpr std::size_t kMax = 60;
  std::string out(text.substr(0, kMax));
  for (char& c : out)
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) c = '?';
  if (text.size() > kMax) {
    while (!out.empty() && (static_cast<unsigned char>(out.back()) & 0xC0) == 0x80)
      out.pop_back();  // no half UTF-8
    if (!out.empty() && static_cast<unsigned char>(out.back()) >= 0xC0) out.pop_back();
    out += "…";
  }
  return out;
}

}  // namespace fairlead::schema
