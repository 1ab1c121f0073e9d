#include "engine/schema/file.h"

#include <fmt/format.h>

#include <algorithm>

namespace fairlead::schema {

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
