#include "engine/schema/toml_depth.h"

#include <algorithm>
#include <cstddef>
#include <vector>

namespace fairlead::schema {
namespace {

// Behind the string that begins at `at` (TOML 1.0, "String"): basic or literal, of one line or of several.
std::size_t skip_string(std::string_view text, std::size_t at) {
  const char quote = text[at];
  const std::string_view triple = quote == '"' ? "\"\"\"" : "'''";
  const bool has_lines = text.substr(at, 3) == triple;
  const std::size_t width = has_lines ? 3 : 1;
  for (at += width; at < text.size(); ++at) {
    if (quote == '"' && text[at] == '\\') {
      ++at;
      continue;
    }
    if (!has_lines && text[at] == '\n') return at;  // no TOML; toml++ stops there
    if (text[at] != quote || (has_lines && text.substr(at, 3) != triple)) continue;
    at += width;
    // Up to two quotes right before the three that close belong to the string.
    for (int more = 0; has_lines && more < 2 && at < text.size() && text[at] == quote; ++more) ++at;
    return at;
  }
  return text.size();
}

}  // namespace

std::size_t deepest_toml_key(std::string_view text) {
  std::size_t deepest = 0;
  std::size_t depth = 0;
  std::vector<std::size_t> outer;  // the depth before each bracket that is open
  for (std::size_t at = 0; at < text.size();) {
    const char c = text[at];
    if (c == '"' || c == '\'') {
      at = skip_string(text, at);
      continue;
    }
    ++at;
    switch (c) {
      case '#': at = std::min(text.find('\n', at), text.size()); break;
      case '.': deepest = std::max(deepest, ++depth); break;
      case '[':
      case '{': outer.push_back(depth); break;
      case ',':
        if (!outer.empty()) depth = outer.back();
        break;
      case ']':
      case '}':
        if (outer.empty()) break;
        depth = outer.back();
        outer.pop_back();
        break;
      case '\n':
        if (outer.empty()) depth = 0;
        break;
      default: break;
    }
  }
  return deepest;
}

}  // namespace fairlead::schema
