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

}  // namespace fairlead::http
