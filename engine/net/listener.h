#pragma once

#include "engine/base/fd.h"
#include "engine/base/result.h"
#include "engine/event/loop.h"
#include "engine/net/address.h"
#include "engine/net/bind_address.h"

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace fairlead::net {

// Opens the listening socket of an entry point: dual stack when the host is empty. A taken port is an error
// that names it. `reuse_port` lets several processes share the port.
Result<Fd> open_listener(const ListenAddress& address, bool reuse_port);
// On the first of `places`, those of the address, that this machine has.
Result<Fd> open_listener(const ListenAddress& address, std::span<const BindAddress> places, bool reuse_port);

// The port that a socket is bound to, for entry points on port 0.
std::uint16_t bound_port(int socket);

// One worker's share in a listening socket: the workers wait on the same socket with EPOLLEXCLUSIVE, so that
// one of them is woken per connection.
//
// Out of descriptors: one is kept in reserve to take and close the surplus connection, and accepting pauses
// until a descriptor is free or 100 ms have passed; no spinning.
class Listener final : event::Handler, event::TimerUser {
 public:
  using Accepted = std::move_only_function<void(Fd socket, const Address& peer)>;

  // `socket` is not owned: it is shared with the other workers and outlives this object.
  Listener(event::Loop& loop, int socket, Accepted accepted);
  ~Listener();
  Listener(const Listener&) = delete;
  Listener& operator=(const Listener&) = delete;

  // Takes what waits in the queue now, so that closing the socket resets nobody.
  void empty_queue();

 private:
  void on_event(std::uint32_t events) override;
  void on_timer(event::Timer&) override;
  bool accept_one();
  void pause();

  event::Loop& loop_;
  int socket_;
  Accepted accepted_;
  Fd reserve_;
  event::Timer resume_;
  TimePoint looked_{};  // for connections, last
  bool watching_ = false;
  bool said_exhausted_ = false;
};

}  // namespace fairlead::net
