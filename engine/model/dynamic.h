#pragma once

#include "engine/model/http.h"
#include "engine/model/reason.h"
#include "engine/model/tcp.h"
#include "engine/model/tls.h"
#include "engine/model/udp.h"
#include "engine/schema/node.h"

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace fairlead::model {

// The routing half of the configuration: of one source, of one provider, or of all of them after merge().
struct Dynamic {
  Http http;
  Tcp tcp;
  Udp udp;
  Tls tls;
  std::vector<Reason> reasons;  // what concerns no element

  bool operator==(const Dynamic&) const = default;
};

// The middleware type keys that exist, in their canonical spelling; the registry of middlewares knows them.
struct MiddlewareTypes {
  std::span<const std::string_view> http;
  std::span<const std::string_view> tcp;
};

}  // namespace fairlead::model
