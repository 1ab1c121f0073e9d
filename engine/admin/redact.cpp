#include "engine/admin/redact.h"

#include "engine/base/strings.h"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>

namespace fairlead::admin {
namespace {

constexpr std::string_view kMask = "xxxx";

}  // namespace

bool names_a_secret(std::string_view name) {
  constexpr std::array<std::string_view, 7> kWords = {"password", "token",      "secret",       "apikey",
                                                      "hmac",     "credential", "authorization"};
  std::string plain = lower(name);
  std::erase_if(plain, [](char c) { return c == '-' || c == '_'; });
  return std::ranges::any_of(kWords, [&](std::string_view word) { return plain.find(word) != plain.npos; });
}

std::string without_user_info(std::string_view text) {
  std::string out;
  for (std::size_t scheme = text.find("://"); scheme != text.npos; scheme = text.find("://")) {
    out += text.substr(0, scheme + 3);
    text.remove_prefix(scheme + 3);
    const std::size_t at = text.substr(0, text.find_first_of("/?# ,")).rfind('@');
    if (at == text.npos) continue;
    out += kMask;
    text.remove_prefix(at);
  }
  return out += text;
}

void redact(nlohmann::ordered_json& json) {
  if (json.is_string()) {
    const auto& text = json.get_ref<const std::string&>();
    if (text.find("://") != text.npos) json = without_user_info(text);
    return;
  }
  if (!json.is_structured()) return;
  for (auto& [key, value] : json.items()) {
    if (json.is_object() && names_a_secret(key) && !value.is_boolean())
      value = kMask;
    else
      redact(value);
  }
}

}  // namespace fairlead::admin
