#pragma once

#include "engine/http/cookie.h"
#include "engine/http/fields.h"

#include <cstddef>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace fairlead::upstream {

// Cookie affinity of one service: which cookie value belongs to which of its targets (servers by URL, or
// child services by name). Values are Traefik's, so that a browser which holds its cookie keeps its server.
class Sticky {
 public:
  // `cookie.name` may be empty: then it is derived from the qualified service name. `targets` in index order;
  // an empty one has no cookie.
  Sticky(const std::string& service, http::SetCookie cookie, const std::vector<std::string>& targets);

  struct Hit {
    int target = -1;      // index; -1: no cookie, or of a target that is not here
    bool legacy = false;  // an older form of the value: the current one is to be set
  };
  Hit find(const http::Fields& request) const;
  // Adds Set-Cookie for this target to the fields of a response.
  void set(http::Fields& response, int target) const;

  // First 16 hex digits of SHA-256.
  static std::string value_of(std::string_view target);
  // "_" and the first five hex digits of SHA-1 over "_TRAEFIK_BACKEND_" and the service's name.
  static std::string default_name(std::string_view service);

 private:
  struct Hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const { return std::hash<std::string_view>{}(text); }
  };
  std::string name_;
  std::vector<std::string> lines_;  // Set-Cookie per target
  std::unordered_map<std::string, Hit, Hash, std::equal_to<>> by_value_;
};

}  // namespace fairlead::upstream
