#include "engine/schema/file.h"

#include "engine/base/utf8.h"
#include "engine/schema/file_limits.h"

#include <fmt/format.h>

#include <algorithm>

namespace fairlead::schema {
namespace {

Configured<std::string_view> check_text(std::string_view text, const std::string& source) {
  if (text.size() > kMaxFileBytes) return misconfigured(source, "the file is larger than 64 MiB");
  for (std::size_t at = 0; at < text.size();) {
    const auto c = static_cast<unsigned char>(text[at]);
    const bool is_plain = (c >= 0x20 && c < 0x7f) || c == '\n' || c == '\t' || c == '\r';
    const std::size_t length = is_plain ? 1 : c < 0x80 ? 0 : utf8_length(text.substr(at));
    if (length == 0) {
      const std::string_view before = text.substr(0, at);
      const auto line = static_cast<int>(std::ranges::count(before, '\n')) + 1;
      const auto column = static_cast<int>(at - (before.rfind('\n') + 1)) + 1;
      return misconfigured(Origin{source, line, column}.text(),
                           c < 0x80 ? "control characters are not allowed" : "this is not UTF-8");
    }
    at += length;
  }
  return text;
}

}  // namespace

Configured<std::string_view> prepare_text(std::string_view text, const std::string& source,
                                          const Expand& expand, std::string& kept) {
  if (!text.contains("{{")) return check_text(text, source);
  auto expanded = expand ? expand(text) : refuse_templates(text);
  if (!expanded) return misconfigured(source + ": " + expanded.error().path, expanded.error().what);
  kept = std::move(*expanded);
  return check_text(kept, source);
}

Configured<std::string> refuse_templates(std::string_view text) {
  const std::size_t at = text.find("{{");
  const auto line = std::ranges::count(text.substr(0, at), '\n') + 1;
  return misconfigured(
      fmt::format("line {}", line),
      "template actions ({{{{ … }}}}) are not available in this file; write the values themselves");
}

Configured<std::string> keep_templates(std::string_view text) { return std::string(text); }

bool is_readable_file(std::string_view path) {
  for (std::string_view ending : {".yaml", ".yml", ".toml", ".json"})
    if (path.size() > ending.size() && equal_ignoring_case(path.substr(path.size() - ending.size()), ending))
      return true;
  return false;
}

Configured<Node> read_text(std::string_view text, const std::string& path, const Expand& expand) {
  constexpr std::string_view kToml = ".toml";
  const bool is_toml =
      path.size() > kToml.size() && equal_ignoring_case(path.substr(path.size() - kToml.size()), kToml);
  return is_toml ? read_toml(text, path, expand) : read_yaml(text, path, expand);
}

}  // namespace fairlead::schema
