#include "engine/admin/redact.h"

#include "engine/base/strings.h"
#include "engine/http/user_info.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>
#include <string>
#include <utility>

namespace fairlead::admin {
namespace {

constexpr std::string_view kMask = "xxxx";

// A URL, or a path with a query such as errors.query and healthCheck.path have; no rule and no pattern, where
// a question mark means something else.
bool has_parameters_or_login(std::string_view text) {
  const std::size_t question = text.find('?');
  return text.find("://") != text.npos ||
         (question != text.npos && text.substr(0, question).find_first_of(" ()`^$[]\\|*+") == text.npos);
}

// In a query even such a name is likely to be a secret: "key" and "sig" stand for logins there.
bool parameter_is_secret(std::string_view name) {
  constexpr std::array<std::string_view, 6> kEnds = {"key", "sig", "signature", "auth", "pass", "pwd"};
  const std::string plain = lower(name);
  return names_a_secret(name) ||
         std::ranges::any_of(kEnds, [&](std::string_view end) { return plain.ends_with(end); });
}

// A URL without its login, and without the values of those parameters whose names say that they are secret.
std::string mask_url(std::string_view text) {
  const std::string url = http::without_user_info(text);
  const std::size_t question = url.find('?');
  if (question == url.npos) return url;
  std::string out = url.substr(0, question);
  char before = '?';
  for (const std::string_view parameter : split(std::string_view(url).substr(question + 1), '&')) {
    const std::string_view name = parameter.substr(0, parameter.find('='));
    out += std::exchange(before, '&');
    const bool is_secret = name.size() < parameter.size() && parameter_is_secret(name);
    out += is_secret ? fmt::format("{}={}", name, kMask) : std::string(parameter);
  }
  return out;
}

// What is sent to a collector, a provider or a server that is checked: any header may be the key to it.
bool are_sent_headers(const nlohmann::ordered_json& object, std::string_view key) {
  return key == "headers" && (object.contains("endpoint") || object.contains("interval"));
}

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
    if (has_parameters_or_login(text)) json = mask_url(text);
    return;
  }
  if (!json.is_structured()) return;
  bool urls_as_keys = false;
  for (auto& [key, value] : json.items()) {
    if (json.is_object() && names_a_secret(key) && !value.is_boolean())
      value = kMask;
    else if (json.is_object() && value.is_object() && are_sent_headers(json, key))
      for (auto& header : value) header = kMask;
    else
      redact(value);
    urls_as_keys |= json.is_object() && key.find("://") != key.npos;
  }
  if (urls_as_keys) mask_keys(json);
}

}  // namespace fairlead::admin
