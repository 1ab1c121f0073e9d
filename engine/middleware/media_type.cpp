#include "engine/middleware/media_type.h"

#include "engine/base/strings.h"
#include "engine/http/fields.h"

#include <map>

namespace fairlead::middleware {
namespace {

// Takes a token or quoted string from the front of `rest`; nothing when there is none.
std::optional<std::string> take_value(std::string_view& rest) {
  if (!rest.starts_with('"')) {
    const std::string_view token = rest.substr(0, rest.find_first_of("; \t"));
    if (!http::is_token(token)) return std::nullopt;
    rest.remove_prefix(token.size());
    return std::string(token);
  }
  std::string value;
  for (std::size_t i = 1; i < rest.size(); ++i) {
    if (rest[i] == '"') {
      rest.remove_prefix(i + 1);
      return value;
    }
    if (rest[i] == '\\' && ++i == rest.size()) break;
    value += rest[i];
  }
  return std::nullopt;
}

}  // namespace

std::optional<std::string> media_type(std::string_view text) {
  const auto semicolon = text.find(';');
  const std::string_view type = trim(text.substr(0, semicolon));
  const auto slash = type.find('/');
  if (!http::is_token(type.substr(0, slash))) return std::nullopt;
  if (slash != std::string_view::npos && !http::is_token(type.substr(slash + 1))) return std::nullopt;

  std::string_view rest = semicolon == std::string_view::npos ? "" : text.substr(semicolon);
  std::map<std::string, std::string> parameters;
  while (!(rest = trim(rest)).empty()) {
    if (rest[0] != ';') return std::nullopt;
    rest = trim(rest.substr(1));
    if (rest.empty()) break;  // a trailing semicolon is common and harmless
    const auto equals = rest.find('=');
    if (equals == std::string_view::npos || !http::is_token(rest.substr(0, equals))) return std::nullopt;
    std::string name = lower(rest.substr(0, equals));
    rest.remove_prefix(equals + 1);
    auto value = take_value(rest);
    if (!value) return std::nullopt;
    const auto [known, is_new] = parameters.try_emplace(std::move(name), *value);
    if (!is_new && known->second != *value) return std::nullopt;
  }
  return lower(type);
}

}  // namespace fairlead::middleware
