#pragma once

#include "engine/base/result.h"
#include "engine/net/address.h"

#include <memory>
#include <string_view>
#include <vector>

namespace fairlead::tcp {

// Kept as long as a connection is open: its place among those of its client.
class Hold {
 public:
  virtual ~Hold() = default;
};
using Holds = std::vector<std::unique_ptr<Hold>>;

// Decides about a connection before a server is asked. Immutable, shared by all workers.
class Middleware {
 public:
  virtual ~Middleware() = default;
  // Lets a connection of `client` to `router` pass; the error says why it is closed instead.
  virtual Result<> admit(std::string_view router, const net::Address& client, Holds& holds) const = 0;
};
using MiddlewarePtr = std::shared_ptr<const Middleware>;

}  // namespace fairlead::tcp
