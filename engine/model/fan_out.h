#pragma once

#include "engine/model/http.h"

#include <cstdint>
#include <functional>
#include <string>

namespace fairlead::model {

// What one request may become at worst, below a service or a middleware: each request that goes into it,
// `times`, and `plus` more to services of its own. Of a service `times` is 0, and `plus` is how many requests
// servers may get for one. Counts end at kMost.
struct FanOut {
  static constexpr std::uint64_t kMost = 1'000'000;

  std::uint64_t times = 1;
  std::uint64_t plus = 0;

  // Of what comes out of `inner`.
  FanOut around(FanOut inner) const;
};

// What was found out of the elements below, by name; nothing multiplies where an element is not known.
using FanOutOf = std::function<FanOut(const std::string& name)>;

// A fallback by status asks both its services, a mirroring all of them. A weighted service asks one: another
// one only after a request that no server took, so that of the others only what multiplies counts.
FanOut fan_out(const HttpService& service, const FanOutOf& services, const FanOutOf& middlewares);
// Those that ask again or ask a service of their own: retry, buffering, errors, and chains of them.
FanOut fan_out(const Middleware& middleware, const FanOutOf& services, const FanOutOf& middlewares);

}  // namespace fairlead::model
