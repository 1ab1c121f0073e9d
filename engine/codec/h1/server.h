#pragma once

#include "engine/codec/body_pace.h"
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
#include <string_view>

namespace fairlead::codec::h1 {

// Limits of one entry point. Durations of zero mean no limit.
struct ServerSettings {
  Limits limits;
  Duration read_timeout = std::chrono::seconds(60);  // the head; the body needs progress within it
  bool read_timeout_whole = false;                   // set explicitly: bounds the whole request too
  Duration write_timeout{};                          // from the end of the head to the end of the response
  Duration idle_timeout = std::chrono::seconds(180);
  Duration keep_alive_max_time{};
  int keep_alive_max_requests = 0;
};

class ServerConnection;

// Who keeps the connections of an entry point on one worker.
class ServerOwner {
 public:
  // The connection is over: take it out of the list and hand it to Loop::destroy_later.
  virtual void closed(ServerConnection& connection) = 0;

 protected:
  ~ServerOwner() = default;
};

// One HTTP/1 connection from a client (RFC 9112). Reads a head, hands it to the handler as a job, and reads
// the next head when that exchange has ended; what a client pipelines waits in the kernel meanwhile. After
// any doubt about where a message ends the connection is closed.
class ServerConnection final : public event::Destroyable,
                               public http::ServerStream,
                               net::TransportUser,
                               net::SpliceTarget,
                               event::TimerUser,
                               event::TickHook,
                               BodyOwner {
 public:
  ServerConnection(event::Loop& loop, std::unique_ptr<net::Transport> transport,
                   std::shared_ptr<const ServerSettings> settings, http::StreamHandler& handler,
                   ServerOwner& owner);
  ~ServerConnection() override;

  // First bytes may be there already: they are tried before waiting. `peeked` true when the socket is known
  // to be readable.
  void start();
  // No further request after the one in flight; idle connections get `grace` for a request on its way.
  void drain();
  // At once, whatever runs.
  void close() { close_connection(); }
  bool busy() const { return state_ == State::Busy; }
  const net::Address& peer() const { return transport_->peer(); }
  // The exchange that ran on this connection has ended: its stream calls are over.
  void exchange_ended();

  // Links of the owner's list.
  ServerConnection* next = nullptr;
  ServerConnection* previous = nullptr;

  // http::ServerStream
  http::BodyPtr body() override;
  Result<> informational(const http::ResponseHead& head) override;
  Task<Result<>> send(const http::ResponseHead& head, bool last) override;
  Task<Result<>> write(std::string_view bytes, bool last, const http::Fields* trailers) override;
  Task<Result<>> write_from(http::Lent from) override;
  bool can_splice() const override;
  void flush() override { flush_output(); }
  void reset(const Error& error) override;
  http::BodyPtr tunnel_body() override;

 private:
  enum class State : std::uint8_t {
    Head,    // between requests, or inside a head
    Busy,    // an exchange runs
    Linger,  // our side is finished; what the client still sends is dropped for a moment
    Closed,
  };

  // server.cpp: reading
  void on_readable() override;
  void on_writable() override;
  void on_peer_finished() override;
  void on_broken(int error) override;
  void on_timer(event::Timer& timer) override;
  void on_tick_end() override;
  void read_heads();
  bool begin_exchange(std::size_t head_bytes);
  void refuse(const Error& error);
  void refuse_foreign_protocol();
  void arm_for_head();
  void close_connection();
  void linger();
  void finish_and_wait();
  void drop_input();
  void cancel_job(const Error& why);
  void body_waits(bool waits) override;
  void body_wanted() override;
  void body_complete() override;
  void body_released() override {}

  // server_response.cpp: writing
  Framing frame(const http::ResponseHead& head, bool last);
  bool flush_output();
  void end_response();
  Task<Result<>> wait_for_room(std::size_t low_mark);
  Task<Result<>> splice_from(http::Lent from);
  Result<> gone() const;
  int splice_fd() const override { return transport_->plain_fd(); }
  Task<Result<>> splice_writable() override;
  void spliced(std::uint64_t bytes) override;
  void note_progress();
  void limit_write(TimePoint due);
  void lift_write_limit();

  event::Loop& loop_;
  std::unique_ptr<net::Transport> transport_;
  std::shared_ptr<const ServerSettings> settings_;
  http::StreamHandler& handler_;
  ServerOwner& owner_;

  Input input_;
  net::Output output_;
  MessageBody body_;
  std::optional<http::Fields> trailers_;  // of a chunked request, in the arena of its exchange
  http::Job* job_ = nullptr;
  std::size_t scanned_ = 0;
  TimePoint opened_;
  TimePoint head_begun_{};     // first byte of the head that is being read
  TimePoint last_progress_{};  // a byte of the response was taken, or one of the body came
  TimePoint response_due_ = TimePoint::max();
  BodyPace pace_;
  std::uint64_t response_left_ = 0;  // of a response with Content-Length
  int requests_ = 0;
  event::Timer timer_;                         // head, idle, body, linger, half-closed client
  std::unique_ptr<event::Timer> write_timer_;  // a response that the client does not take; few need one
  Signal room_;

  State state_ = State::Head;
  BodyFraming framing_ = BodyFraming::None;
  bool http10_ = false;
  bool head_request_ = false;
  bool keep_alive_ = true;  // the client's wish and our own
  bool draining_ = false;
  bool peer_finished_ = false;
  bool broken_ = false;
  bool head_sent_ = false;
  bool response_done_ = false;
  bool tunnel_ = false;
  bool skipped_empty_line_ = false;
  bool wants_next_ = false;  // the exchange ended: look for the next head when the tick ends
  bool expects_continue_ = false;
  bool waits_for_body_ = false;
};

}  // namespace fairlead::codec::h1
