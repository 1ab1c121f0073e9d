#include "engine/model/rule_scan.h"

#include "engine/schema/node.h"

#include <algorithm>

namespace fairlead::model {
namespace {

bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

// The end of the string literal that begins at `begin`, past its closing quote.
std::size_t end_of_string(std::string_view rule, std::size_t begin) {
  const char quote = rule[begin];
  std::size_t i = begin + 1;
  while (i < rule.size() && rule[i] != quote) i += quote == '"' && rule[i] == '\\' ? 2 : 1;
  return std::min(i + 1, rule.size());
}

}  // namespace

std::vector<std::string> matcher_arguments(std::string_view rule, std::string_view matcher) {
  std::vector<std::string> out;
  bool wanted = false;  // the next string belongs to the matcher looked for
  for (std::size_t i = 0; i < rule.size();) {
    if (rule[i] == '`' || rule[i] == '"') {
      const std::size_t end = end_of_string(rule, i);
      if (wanted && end >= i + 2) out.emplace_back(rule.substr(i + 1, end - i - 2));
      wanted = false;
      i = end;
    } else if (is_letter(rule[i])) {
      std::size_t end = i;
      while (end < rule.size() && is_letter(rule[end])) ++end;
      wanted = schema::equal_ignoring_case(rule.substr(i, end - i), matcher);
      i = end;
    } else {
      ++i;
    }
  }
  return out;
}

}  // namespace fairlead::model
