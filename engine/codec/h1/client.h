#pragma once

#include "engine/codec/h1/head_bytes.h"
#include "engine/codec/h1/input.h"
#include "engine/codec/h1/message_body.h"
#include "engine/codec/h1/writer.h"
#include "engine/event/loop.h"
#include "engine/http/stream.h"
#include "engine/net/output.h"
#include "engine/net/splice.h"
#include "engine/net/transport.h"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

namespace fairlead::codec::h1 {

class ClientConnection;

// The pool that a connection to a server belongs to.
class ClientOwner {
 public:
  // The exchange ended cleanly: the connection can carry another one.
  virtual void idle(ClientConnection& connection) = 0;
  // It is over: hand it to Loop::destroy_later.
  virtual void closed(ClientConnection& connection) = 0;

 protected:
  ~ClientOwner() = default;
};

// One HTTP/1.1 connection to a server: one exchange at a time. It goes back to its pool only when both
// messages ended exactly where their framing says; after anything doubtful it is closed (a poisoned pool
// would give one user's answer to another).
class ClientConnection final : public event::Destroyable,
                               http::ClientStream,
                               net::TransportUser,
                               net::SpliceTarget,
                               event::TimerUser,
                               event::TickHook,
                               BodyOwner {
 public:
  ClientConnection(event::Loop& loop, std::unique_ptr<net::Transport> transport, ClientOwner& owner);

  // Begins an exchange; the connection must be fresh or idle.
  http::ClientStreamPtr lease();
  // Closes it: now when idle, else when it is released.
  void retire();
  // The server may have vanished: an exchange under way must not wait for ever.
  void doubt() {
    if (!closed_) transport_->doubt_peer();
  }
  bool leased() const { return leased_; }
  // A server that said or did anything while idle, or hung up: not to be used.
  bool usable() const { return !closed_ && !broken_ && !peer_finished_; }
  // The server said something that no request asked for, and not that it was tired of waiting for one.
  bool spoke_unasked() const { return spoke_unasked_; }

  // Links and time of the pool's list.
  ClientConnection* next = nullptr;
  ClientConnection* previous = nullptr;
  TimePoint idle_since{};
  bool in_idle_list = false;
  std::uint64_t bound_to = 0;  // the client whose login it carries; 0: anybody's

 private:
  // http::ClientStream
  void release() override;
  Task<Result<>> send(const http::RequestHead& head, std::string_view host, bool last) override;
  Task<Result<>> write(std::string_view bytes, bool last, const http::Fields* trailers) override;
  Task<Result<>> write_from(http::Lent from) override;
  bool can_splice() const override;
  Task<Result<>> receive(http::ResponseHead& head, TimePoint deadline) override;
  http::BodyPtr body() override;
  http::BodyPtr tunnel_body() override;
  bool sent_anything() const override { return sent_anything_; }
  bool received_anything() const override { return received_anything_; }
  bool reused() const override { return exchanges_ > 1; }
  void abort(const Error& why) override;
  void keep_out_of_pool() override { poolable_ = false; }
  void bind_to(std::uint64_t client) override { bound_to = client; }

  void on_readable() override;
  void on_writable() override;
  void on_peer_finished() override;
  void on_broken(int error) override;
  void foresee() const override { head_signal_.foresee(); }
  void on_timer(event::Timer& timer) override;
  void on_tick_end() override;
  void body_waits(bool) override {}
  void body_complete() override {}
  void body_released() override {}

  // The next head if it is here: true when `head` was filled.
  Result<bool> take_head(http::ResponseHead& head);
  void begin_body(const http::ResponseHead& head, BodyKind kind);
  Task<Result<>> wait_for_head(http::ResponseHead& head);
  Task<Result<>> wait_for_room(std::size_t low_mark);
  Task<Result<>> splice_from(http::Lent from);
  bool flush_output();
  enum class Heard : unsigned char { Nothing, Bytes, End };
  Heard listen();
  bool refuse_unasked();
  void wake_waiters();
  Result<> lost(std::string_view what) const;
  void close_connection();
  int splice_fd() const override { return transport_->plain_fd(); }
  Task<Result<>> splice_writable() override;
  void spliced(std::uint64_t bytes) override;

  event::Loop& loop_;
  std::unique_ptr<net::Transport> transport_;
  ClientOwner& owner_;
  Input input_;
  net::Output output_;
  MessageBody body_;
  std::optional<http::Fields> trailers_;  // of a chunked response, in the arena of its exchange
  Signal head_signal_;
  Signal room_;
  event::Timer timer_;
  std::string method_;
  std::optional<Error> aborted_;
  std::size_t scanned_ = 0;
  std::uint64_t request_left_ = 0;
  std::uint64_t asked_in_ = 0;  // the tick of send(); 0: not yet
  std::uint32_t exchanges_ = 0;
  int error_ = 0;
  BodyFraming request_framing_ = BodyFraming::None;
  BodyKind response_kind_ = BodyKind::None;
  bool leased_ = false;
  bool closed_ = false;
  bool broken_ = false;
  bool peer_finished_ = false;
  bool retired_ = false;
  bool poolable_ = true;
  bool request_done_ = false;
  bool response_begun_ = false;
  bool keep_alive_ = true;
  bool tunnel_ = false;
  bool sent_anything_ = false;
  bool received_anything_ = false;
  bool timed_out_ = false;
  bool spoke_unasked_ = false;
};

}  // namespace fairlead::codec::h1
