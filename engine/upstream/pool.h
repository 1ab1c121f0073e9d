#pragma once

#include "engine/base/result.h"
#include "engine/base/task.h"
#include "engine/codec/h1/client.h"
#include "engine/event/loop.h"
#include "engine/http/stream.h"
#include "engine/upstream/server.h"

#include <memory>

namespace fairlead::upstream {

// Connections of one worker to one server. Idle ones are used last in, first out: few stay warm, the others
// time out. A connection on which the server says or closes anything while idle leaves at that event, so
// taking one costs no probe.
class Pool final : codec::h1::ClientOwner, event::TimerUser {
 public:
  Pool(event::Loop& loop, ServerAddress address, TransportOptions options);
  ~Pool();
  Pool(const Pool&) = delete;
  Pool& operator=(const Pool&) = delete;

  // An idle connection, or a new one. Errors as dial(); {502} when the name does not resolve.
  // `fresh`: never a reused one, for a request that failed on one.
  Task<Result<http::ClientStreamPtr>> take(bool fresh);
  // The server left: idle connections close now, busy ones when they come back.
  void retire();
  // The server is back under the same address.
  void revive() { retired_ = false; }
  std::size_t idle_count() const { return idle_; }
  // Servers of current sets behind it; Pools retires it when the last one goes.
  int uses = 0;
  // Retired, and nothing of it is left.
  bool removable() const { return retired_ && dialing_ == 0 && !idle_list_.first && !busy_list_.first; }

 private:
  class Dialing;
  struct List {
    codec::h1::ClientConnection* first = nullptr;
    void push(codec::h1::ClientConnection& connection);
    void remove(codec::h1::ClientConnection& connection);
  };

  Task<Result<http::ClientStreamPtr>> connect();
  void idle(codec::h1::ClientConnection& connection) override;
  void closed(codec::h1::ClientConnection& connection) override;
  void leave_idle(codec::h1::ClientConnection& connection);
  void on_timer(event::Timer& timer) override;

  event::Loop& loop_;
  ServerAddress address_;
  TransportOptions options_;
  List idle_list_;
  List busy_list_;
  std::size_t idle_ = 0;
  int dialing_ = 0;
  bool retired_ = false;
  event::Timer timer_;
};

}  // namespace fairlead::upstream
