#pragma once

#include "engine/http/cookie.h"
#include "engine/model/sticky.h"

namespace fairlead::runtime {

// The cookie as configured; other words than none, lax and strict leave SameSite out.
http::SetCookie sticky_cookie(const model::Cookie& options);

}  // namespace fairlead::runtime
