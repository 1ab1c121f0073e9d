#pragma once

#include "engine/base/result.h"
#include "engine/base/task.h"
#include "engine/event/loop.h"
#include "engine/net/transport.h"

#include <cstddef>
#include <string>
#include <string_view>

namespace fairlead::tcp {

// A few bytes to and from a server, awaited: health checks, the request for TLS. It is the transport's user
// while it lives.
class Conversation final : net::TransportUser, event::TimerUser {
 public:
  Conversation(event::Loop& loop, net::Transport& server, TimePoint deadline);
  ~Conversation();
  Conversation(const Conversation&) = delete;
  Conversation& operator=(const Conversation&) = delete;

  // Errors: {502, Upstream} when the connection is lost, {504, Upstream} at the deadline.
  Task<Result<>> send(std::string_view bytes);
  // At most `max_bytes`, as many as the first read that gives any has; never more than that is taken from
  // the transport. {502, Upstream} at its end.
  Task<Result<std::string>> receive(std::size_t max_bytes);

 private:
  void on_readable() override { wake(); }
  void on_writable() override { wake(); }
  void on_peer_finished() override { wake(); }
  void on_broken(int error) override;
  void on_timer(event::Timer& timer) override;
  void wake() { signal_.notify(); }
  std::unexpected<Error> lost(int error) const;
  Result<> still_well() const;

  net::Transport& server_;
  event::Timer timer_;
  Signal signal_;
  int error_ = 0;
  bool late_ = false;
};

}  // namespace fairlead::tcp
