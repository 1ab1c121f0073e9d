#pragma once

#include "engine/base/result.h"
#include "engine/base/task.h"
#include "engine/event/loop.h"
#include "engine/net/transport.h"
#include "engine/upstream/pools.h"

#include <memory>
#include <string>

namespace fairlead::tcp {

// The connection that a server is wanted for, and the worker it belongs to. Outlives the call.
struct Client {
  event::Loop& loop;
  upstream::Pools& pools;
  net::Address address;
  const net::Transport* transport = nullptr;  // its connection; asked for our end of it
  bool may_hold = true;  // wait for a successor when the last server left; not where another service may do
  int services_tried = 0;
};

// A connection to a server, ready for the client's bytes.
struct Upstream {
  std::unique_ptr<net::Transport> transport;
  std::string server;            // "10.0.0.2:5432", for the log
  Duration termination_delay{};  // what the other direction gets after one has ended; negative: for ever
  std::unique_ptr<upstream::Pools::Outside> known{};  // to the pools, for when its server is gone
};

// Finds servers for connections. Immutable, one per snapshot.
class Service {
 public:
  virtual ~Service() = default;
  // Errors are {503, Upstream, retryable} without a usable server, else those of the last dial.
  virtual Task<Result<Upstream>> connect(Client& client) const = 0;
};

}  // namespace fairlead::tcp
