#pragma once

#include "engine/codec/h2/leased_stream.h"
#include "engine/event/loop.h"
#include "engine/http/stream.h"
#include "engine/net/output.h"
#include "engine/net/transport.h"

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>

struct nghttp2_session;

namespace fairlead::codec::h2 {

class ClientConnection;
class RequestBlock;

// The pool that a connection to a server belongs to.
class ClientOwner {
 public:
  // Its last stream came back: it rests, and can carry others.
  virtual void idle(ClientConnection& connection) = 0;
  // It is over and no stream of it is out: hand it to Loop::destroy_later.
  virtual void closed(ClientConnection& connection) = 0;

 protected:
  ~ClientOwner() = default;
};

struct ClientSettings {
  bool secure = false;                // the transport is TLS: :scheme is https
  std::size_t assumed_streams = 100;  // allowed until the server says so itself
  Duration read_idle_timeout{};       // silence after which a PING is sent; 0: never
  Duration ping_timeout = std::chrono::seconds(15);
};

// One HTTP/2 connection to a server (RFC 9113, by nghttp2), shared by as many exchanges as the server allows.
//
// What a server may cost is bounded: bytes that wait by the windows, fields by field_block.h, frames that
// carry nothing by a rate. Whoever breaks the protocol loses the stream, or the connection where RFC 9113
// says so; a push is refused with the connection.
class ClientConnection final : public event::Destroyable,
                               net::TransportUser,
                               event::TimerUser,
                               event::TickHook,
                               event::ReceiveHolder {
 public:
  ClientConnection(event::Loop& loop, std::unique_ptr<net::Transport> transport, ClientOwner& owner,
                   ClientSettings settings);
  ~ClientConnection() override;

  // Streams that it can take now; 0 as well when it takes no more at all.
  std::size_t capacity() const;
  // Streams that it may carry at once, as far as is known.
  std::size_t allowed() const;
  // Takes one; capacity() must not be 0.
  http::ClientStreamPtr lease();
  // No new streams: it closes when the last one comes back, now when none is out.
  void retire();
  // The server may have vanished: exchanges under way must not wait for ever.
  void doubt() { transport_->doubt_peer(); }
  std::size_t leased() const { return leased_; }
  // False once it failed, the server said goodbye, or it was retired.
  bool usable() const { return !broken_ && !going_away_ && !retired_; }
  // The owner goes first: the connection ends by itself with its last stream.
  void detach();

  // Links and time of the pool's list.
  ClientConnection* next = nullptr;
  ClientConnection* previous = nullptr;
  TimePoint idle_since{};

 private:
  friend class LeasedStream;
  friend struct ClientCallbacks;

  // What a stream asks for.
  Result<> submit(LeasedStream& stream, const http::RequestHead& head, std::string_view host,
                  std::optional<std::uint64_t> length, bool last);
  void resume(const LeasedStream& stream);
  void flush_later() { loop_.at_tick_end(*this); }
  void consumed(LeasedStream& stream, std::size_t bytes);
  void cancel(LeasedStream& stream);
  void give_back(LeasedStream& stream);
  void wake_later(LeasedStream& stream);
  // An answer to what was asked then did not come in time. Where nothing else came since, the server may have
  // vanished without a word: the next request gets another connection.
  void doubt(TimePoint asked) {
    if (last_read_ < asked) retire();
  }
  std::string peer() const { return transport_->peer().text(); }

  void on_readable() override;
  void on_writable() override;
  void on_peer_finished() override { on_readable(); }
  void on_broken(int error) override;
  void on_timer(event::Timer& timer) override;
  void on_tick_end() override;
  void spill() override {}  // what was received is taken in at once

  void read_all();
  void take_in(std::string_view bytes);
  bool pump();
  void flush();
  void wake();
  void check_health();
  // The server broke the protocol: said in the log, then as break_off().
  void break_off_violated(std::string_view otherwise);
  // Every stream fails with `why`, and the transport closes.
  void break_off(std::string why);
  void lose(int error);  // errno; what came before it is still taken in
  void settle();
  void close_transport();
  LeasedStream* find(std::int32_t id);
  // Counts a frame that carries nothing. False when there are too many.
  bool count_overhead();

  event::Loop& loop_;
  std::unique_ptr<net::Transport> transport_;
  ClientOwner* owner_;
  const ClientSettings settings_;
  nghttp2_session* session_ = nullptr;
  net::Output output_;
  std::unique_ptr<RequestBlock> block_;
  std::unordered_map<std::int32_t, LeasedStream*> streams_;  // those that were sent and not given back
  LeasedStream* first_to_wake_ = nullptr;
  LeasedStream* last_to_wake_ = nullptr;
  event::Timer read_on_;  // what was left unread for the sake of other connections
  event::Timer health_;
  TimePoint last_read_{};
  TimePoint overhead_since_{};
  std::uint64_t appended_ = 0;  // bytes handed to output_ so far
  std::uint64_t written_ = 0;   // bytes of them that the transport took
  std::size_t to_wake_ = 0;
  std::size_t leased_ = 0;
  std::size_t leases_ = 0;  // so far
  std::uint32_t overhead_frames_ = 0;
  std::string violation_;  // what nghttp2 says about the peer's last mistake
  bool heard_ = false;     // a byte came
  bool settings_here_ = false;
  bool readable_ = false;
  bool ping_waits_ = false;
  bool going_away_ = false;
  bool retired_ = false;
  bool broken_ = false;
  bool over_ = false;  // the owner was told
};

}  // namespace fairlead::codec::h2
