#pragma once

#include "engine/base/result.h"

namespace fairlead::upstream {

// True of a failure for want of something of our own, as of file descriptors: it says nothing about the
// server.
inline bool is_own_want(const Error& error) { return error.status == 503 && error.fault == Fault::Proxy; }

}  // namespace fairlead::upstream
