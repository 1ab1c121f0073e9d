#include "engine/routing/template.h"

#include "engine/routing/regex.h"

namespace fairlead::routing {
namespace {

std::string_view default_part(TemplateKind kind) {
  switch (kind) {
    case TemplateKind::Host: return "[^.]+";
    case TemplateKind::Path:
    case TemplateKind::PathPrefix: return "[^/]+";
    case TemplateKind::Value: return ".*";
  }
  return ".*";
}

// The position behind the brace that closes the one at `open`; npos when none does.
std::size_t closing(std::string_view text, std::size_t open) {
  int level = 0;
  for (std::size_t i = open; i < text.size(); ++i) {
    if (text[i] == '{') ++level;
    if (text[i] == '}' && --level == 0) return i + 1;
  }
  return text.npos;
}

}  // namespace

bool is_template(std::string_view text) { return text.find('{') != text.npos; }

std::expected<std::string, std::string> template_pattern(std::string_view text, TemplateKind kind) {
  std::string out = kind == TemplateKind::Host ? "(?i)^" : "^";
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t open = text.find_first_of("{}", at);
    out += Regex::quote(text.substr(at, open == text.npos ? text.npos : open - at));
    if (open == text.npos) break;
    const std::size_t end = text[open] == '{' ? closing(text, open) : text.npos;
    if (end == text.npos) return std::unexpected("has unbalanced braces");
    const std::string_view part = text.substr(open + 1, end - open - 2);
    const std::size_t colon = part.find(':');
    const std::string_view pattern = colon == part.npos ? default_part(kind) : part.substr(colon + 1);
    if (part.substr(0, colon).empty() || pattern.empty())
      return std::unexpected("has braces without a name or pattern; write {name} or {name:pattern}");
    out.append("(?:").append(pattern).append(")");
    at = end;
  }
  return kind == TemplateKind::PathPrefix ? out : out + "$";
}

}  // namespace fairlead::routing
