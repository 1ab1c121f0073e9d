#pragma once

#include "engine/base/strings.h"
#include "engine/http/fields.h"

#include <string_view>

namespace fairlead::service {

// Whether a challenge, or credentials, are of a scheme that logs in the connection instead of the request:
// NTLM, and Negotiate, which may carry it. Whoever used that connection next would be taken for its client.
inline bool is_connection_login(std::string_view value) {
  for (const std::string_view part : split(value, ',')) {
    const std::string_view challenge = trim(part);
    const std::string_view scheme = challenge.substr(0, challenge.find(' '));
    if (iequals(scheme, "NTLM") || iequals(scheme, "Negotiate")) return true;
  }
  return false;
}

inline bool sends_connection_login(const http::Fields& request) {
  const http::Field* line = request.find(http::Name::Authorization);
  return line && is_connection_login(line->value);
}

inline bool asks_for_connection_login(const http::Fields& response) {
  for (const http::Field& line : response)
    if (iequals(line.name, "WWW-Authenticate") && is_connection_login(line.value)) return true;
  return false;
}

}  // namespace fairlead::service
