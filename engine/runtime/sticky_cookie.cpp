#include "engine/runtime/sticky_cookie.h"

#include "engine/base/strings.h"

#include <algorithm>
#include <limits>

namespace fairlead::runtime {

http::SetCookie sticky_cookie(const model::Cookie& options) {
  http::SetCookie cookie;
  cookie.name = options.name;
  cookie.path = options.path;
  cookie.domain = options.domain;
  cookie.max_age =
      static_cast<int>(std::clamp<std::int64_t>(options.max_age, -1, std::numeric_limits<int>::max()));
  cookie.http_only = options.http_only;
  cookie.secure = options.secure;
  if (iequals(options.same_site, "none")) cookie.same_site = http::SameSite::None;
  if (iequals(options.same_site, "lax")) cookie.same_site = http::SameSite::Lax;
  if (iequals(options.same_site, "strict")) cookie.same_site = http::SameSite::Strict;
  return cookie;
}

}  // namespace fairlead::runtime
