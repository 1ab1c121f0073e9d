#include "engine/schema/file.h"

#include "engine/schema/file_limits.h"

#include <fmt/format.h>

#include <algorithm>

namespace fairlead::schema {
namespace {

// The length of the well-formed UTF-8 character at the start (RFC 3629 §4), or 0.
std::size_t character_length(std::string_view text) {
  const auto byte = [text](std::size_t i) {
    return i < text.size() ? static_cast<unsigned char>(text[i]) : 0u;
  };
  const auto continues = [&byte](std::size_t i) { return (byte(i) & 0xC0u) == 0x80u; };
  const unsigned first = byte(0);
  if (first < 0x80) return 1;
  if (first >= 0xC2 && first <= 0xDF) return continues(1) ? 2 : 0;
  if (first >= 0xE0 && first <= 0xEF) {
    const bool is_overlong = first == 0xE0 && byte(1) < 0xA0;
    const bool is_surrogate = first == 0xED && byte(1) > 0x9F;
    return continues(1) && continues(2) && !is_overlong && !is_surrogate ? 3 : 0;
  }
  if (first >= 0xF0 && first <= 0xF4) {
    const bool is_out_of_range = (first == 0xF0 && byte(1) < 0x90) || (first == 0xF4 && byte(1) > 0x8F);
    return continues(1) && continues(2) && continues(3) && !is_out_of_range ? 4 : 0;
  }
  return 0;
}

Configured<std::string_view> check_text(std::string_view text, const std::string& source) {
  if (text.size() > kMaxFileBytes) return misconfigured(source, "the file is larger than 64 MiB");
  for (std::size_t at = 0; at < text.size();) {
    const auto c = static_cast<unsigned char>(text[at]);
    const bool is_plain = (c >= 0x20 && c < 0x7f) || c == '\n' || c == '\t' || c == '\r';
    const std::size_t length = is_plain ? 1 : c < 0x80 ? 0 : character_length(text.substr(at));
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
