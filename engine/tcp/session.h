#pragma once

#include "engine/tcp/pipe.h"
#include "engine/tcp/route.h"

#include <memory>
#include <optional>
#include <string>

namespace fairlead::tcp {

class Session;

class SessionOwner {
 public:
  // No server takes the connection, which ends with this: for the log.
  virtual void not_served(const net::Address& client, std::string_view router, std::string_view why) = 0;
  // The session is over. It must not be destroyed inside the call.
  virtual void session_ended(Session& session) = 0;

 protected:
  ~SessionOwner() = default;
};

// One connection that a TCP router took, from then to its end: finds a server and carries the bytes. Belongs
// to its worker.
class Session final : net::TransportUser, Completion, event::TickHook, PipeUser {
 public:
  struct Options {
    std::string entry_point;  // for the log
    RoutePtr route;
    Holds holds;
    bool postgres = false;  // the client was promised TLS, and its ClientHello is passed through
  };
  Session(event::Loop& loop, upstream::Pools& pools, std::unique_ptr<net::Transport> client, Options options,
          SessionOwner& owner);
  ~Session();
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  void start();
  // At once; the owner hears of it inside the call.
  void close();

 private:
  // Of the client, while a server is looked for. What it sends meanwhile waits in its socket.
  void on_readable() override {}
  void on_writable() override {}
  void on_peer_finished() override {}
  void on_broken(int error) override;

  Task<Result<Upstream>> connect();
  void task_done() override;
  void on_tick_end() override { connecting_.cancel(); }
  void pipe_ended() override;
  void finish();

  event::Loop& loop_;
  Client context_;
  std::unique_ptr<net::Transport> client_;
  Options options_;
  SessionOwner& owner_;
  Task<Result<Upstream>> connecting_;
  Upstream upstream_;
  std::optional<Pipe> pipe_;
  TimePoint begun_;
  bool over_ = false;
};

}  // namespace fairlead::tcp
