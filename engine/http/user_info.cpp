#include "engine/http/user_info.h"

namespace fairlead::http {

std::string without_user_info(std::string_view text) {
  std::string out;
  for (std::size_t scheme = text.find("://"); scheme != text.npos; scheme = text.find("://")) {
    out += text.substr(0, scheme + 3);
    text.remove_prefix(scheme + 3);
    const std::size_t at = text.substr(0, text.find_first_of("/?# ")).rfind('@');
    if (at == text.npos) continue;
    out += "xxxx";
    text.remove_prefix(at);
  }
  return out += text;
}

std::string url_without_user_info(std::string_view url) {
  const std::size_t at = url.substr(0, url.find_first_of("/?# ")).rfind('@');
  if (at != url.npos) return "xxxx" + std::string(url.substr(at));
  return without_user_info(url);
}

}  // namespace fairlead::http
