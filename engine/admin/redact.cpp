#include "engine/admin/redact.h"

#include "engine/base/strings.h"
#include "engine/http/user_info.h"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>

namespace fairlead::admin {
namespace {

constexpr std::string_view kMask = "xxxx";

// The state of servers is told by their URLs.
void mask_keys(nlohmann::ordered_json& object) {
  auto masked = nlohmann::ordered_json::object();
  for (auto& [key, value] : object.items()) masked[http::without_user_info(key)] = std::move(value);
  object = std::move(masked);
}

}  // namespace

bool names_a_secret(std::string_view name) {
  constexpr std::array<std::string_view, 7> kWords = {"password", "token",      "secret",       "apikey",
                                                      "hmac",     "credential", "authorization"};
  std::string plain = lower(name);
  std::erase_if(plain, [](char c) { return c == '-' || c == '_'; });
  return std::ranges::any_of(kWords, [&](std::string_view word) { return plain.find(word) != plain.npos; });
}

void redact(nlohmann::ordered_json& json) {
  if (json.is_string()) {
    const auto& text = json.get_ref<const std::string&>();
    if (text.find("://") != text.npos) json = http::without_user_info(text);
    return;
  }
  if (!json.is_structured()) return;
  bool urls_as_keys = false;
  for (auto& [key, value] : json.items()) {
    if (json.is_object() && names_a_secret(key) && !value.is_boolean())
      value = kMask;
    else
      redact(value);
    urls_as_keys |= json.is_object() && key.find("://") != key.npos;
  }
  if (urls_as_keys) mask_keys(json);
}

}  // namespace fairlead::admin
