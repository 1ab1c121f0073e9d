#pragma once

#include "engine/event/loop.h"
#include "engine/net/output.h"
#include "engine/net/pipe_pool.h"
#include "engine/net/transport.h"

#include <cstdint>
#include <memory>
#include <string_view>

namespace fairlead::tcp {

class PipeUser {
 public:
  // Both directions are over; the transports are still open.
  virtual void pipe_ended() = 0;

 protected:
  ~PipeUser() = default;
};

// Carries bytes between a client and a server, each way with back-pressure of its own: what one side does not
// take is not read from the other, beyond one receive buffer (128 KiB) or one pipe.
//
// Bulk between plain sockets moves by splice(2) through a pooled pipe, held only while bytes are on their
// way; everything else through the worker's receive buffer. An idle pipe holds neither.
//
// The end of one direction is passed on as a half-close; the other one may then go on for
// `termination_delay` (negative: for ever).
class Pipe final : event::ReceiveHolder, event::TimerUser {
 public:
  Pipe(event::Loop& loop, net::Transport& client, net::Transport& server, Duration termination_delay,
       PipeUser& user);
  ~Pipe();
  Pipe(const Pipe&) = delete;
  Pipe& operator=(const Pipe&) = delete;

  // Begins with what has arrived already.
  void start();
  // No calls to the user after this.
  void stop();

  std::uint64_t from_client() const { return up_.bytes; }
  std::uint64_t from_server() const { return down_.bytes; }
  // Which side ended first: "client", "server"; empty while none has.
  std::string_view ended_by() const { return ended_by_; }

 private:
  // One direction.
  struct Way {
    Way(net::Transport& source, net::Transport& target, const char* source_name)
        : from(source), to(target), name(source_name) {}
    net::Transport& from;
    net::Transport& to;
    const char* name;
    net::Output kept;     // what `to` does not take yet
    net::PipeLease pipe;  // while spliced bytes are on their way
    std::uint64_t bytes = 0;
    std::uint64_t burst = 0;  // bytes since the source was dry
    bool drained = false;     // the source has nothing more now
    bool ended = false;       // the source's end was seen
    bool broken = false;      // … and it was no orderly one
    bool discards = false;    // the target takes nothing any more
    bool splices = false;     // bulk was seen
    bool done = false;        // the end was passed on
  };
  class Side final : public net::TransportUser {
   public:
    Side(Pipe& pipe, Way& from_here, Way& to_here) : pipe_(pipe), from_here_(from_here), to_here_(to_here) {}
    void on_readable() override;
    void on_writable() override { pipe_.pump(to_here_); }
    void on_peer_finished() override { on_readable(); }
    void on_broken(int error) override;

   private:
    Pipe& pipe_;
    Way& from_here_;
    Way& to_here_;
  };

  void pump(Way& way);
  bool push(Way& way);
  std::uint64_t pull(Way& way);
  std::uint64_t pull_spliced(Way& way);
  void rest(Way& way);
  void finish(Way& way);
  void discard(Way& way);
  void expire();
  void yield();
  void resume();
  void end();
  void spill() override {}  // the buffer is never kept beyond a call
  void on_timer(event::Timer&) override { expire(); }
  Way& other(const Way& way) { return &way == &up_ ? down_ : up_; }

  event::Loop& loop_;
  Way up_;
  Way down_;
  Side client_side_;
  Side server_side_;
  const Duration termination_delay_;
  PipeUser& user_;
  event::Timer timer_;
  std::shared_ptr<Pipe*> turn_;  // of a continuation on its way; points to nothing once the pipe is over
  std::string_view ended_by_;
  const bool plain_;  // both sides are sockets whose bytes pass unchanged
  bool expired_ = false;
  bool over_ = false;
};

}  // namespace fairlead::tcp
