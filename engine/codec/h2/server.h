#pragma once

#include "engine/codec/h2/flood_guard.h"
#include "engine/codec/h2/server_settings.h"
#include "engine/codec/h2/server_stream.h"
#include "engine/codec/h2/session_memory.h"
#include "engine/event/loop.h"
#include "engine/http/stream.h"
#include "engine/net/output.h"
#include "engine/net/transport.h"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

struct nghttp2_session;

namespace fairlead::codec::h2 {

class FrameBatch;
class ResponseBlock;
class ServerConnection;

// Who keeps the connections of an entry point on one worker.
class ServerOwner {
 public:
  // The connection is over: take it out of the list and hand it to Loop::destroy_later.
  virtual void closed(ServerConnection& connection) = 0;
  // The client sent more of a kind of frame than any honest one does; the connection ends.
  virtual void flooded(Flood kind) = 0;

 protected:
  ~ServerOwner() = default;
};

// RFC 9113 §7, as far as we send them on streams.
enum class StreamError : std::uint8_t { None, Protocol, Internal, FrameSize, Refused, Cancel, Calm };

// One HTTP/2 connection from a client (RFC 9113, by nghttp2): any number of exchanges at once.
//
// nghttp2 only calls back into what cannot run an exchange: requests that are complete begin, and readers
// wake, when it has taken in what was received. What all of them produce in a tick leaves in one send; a
// write of 16 KiB or more leaves at once. Request bodies wait in memory up to their windows (256 KiB per
// stream, 1 MiB per connection), which open again only for what was read.
class ServerConnection final : net::TransportUser, event::TimerUser, event::TickHook, event::ReceiveHolder {
 public:
  ServerConnection(event::Loop& loop, std::unique_ptr<net::Transport> transport,
                   std::shared_ptr<const ServerSettings> settings, http::StreamHandler& handler,
                   ServerOwner& owner);
  ~ServerConnection();
  ServerConnection(const ServerConnection&) = delete;
  ServerConnection& operator=(const ServerConnection&) = delete;

  // First bytes may be there already: they are tried before waiting.
  void start();
  // GOAWAY twice (RFC 9113 §6.8): requests on their way for a second, then those in flight only.
  void drain();
  // At once, whatever runs.
  void close() { close_connection(); }
  // The exchange that was started with `stream`, one of ours, has ended.
  void exchange_ended(http::ServerStream& stream);

 private:
  friend class ServerStream;
  friend struct ServerCallbacks;
  enum class State : std::uint8_t {
    Open,
    Linger,  // our side is finished; what the client still sends is dropped for a moment
    Closed,
  };

  // net::TransportUser, and the loop
  void on_readable() override;
  void on_writable() override;
  void on_peer_finished() override;
  void on_broken(int error) override;
  void on_timer(event::Timer& timer) override;
  void on_tick_end() override;
  void spill() override {}  // what was received is taken in at once

  // server.cpp: the connection
  // nghttp2's half, awake. An idle one rests: then it may only be reached by this.
  nghttp2_session* session();
  bool may_rest() const;
  void rest();
  void read_input();
  void take_in(std::string_view bytes);
  void drop_input();
  bool send_output();
  bool collect(FrameBatch& batch);
  void settle();
  void arm_timer();
  void say_goodbye();
  void end_with(std::uint32_t code, const Error& why);
  void end_flood();
  void end_streams(const Error& why);
  void linger();
  void finish();
  void close_connection();

  // server_requests.cpp: what nghttp2 tells of streams
  bool admit_frame(std::uint8_t type, std::uint8_t flags, std::size_t length, std::int32_t id);
  bool spend(Flood kind);
  bool note_spent(Flood kind, bool was_left);
  bool spend_reset(std::int32_t id);  // of a stream by the client
  bool begin_request(std::int32_t id);
  void begin_trailers(ServerStream& stream);
  bool take_field(ServerStream& stream, bool trailer, std::string_view name, std::string_view value);
  bool refuse_field(ServerStream& stream, const Error& error);
  void request_complete(ServerStream& stream, bool ends);
  void body_ended(ServerStream& stream);
  void take_data(ServerStream* stream, std::int32_t id, std::string_view bytes);
  void stream_broken(ServerStream& stream, std::string_view why);
  void stream_closed(ServerStream& stream);
  void answer_ended(ServerStream& stream);
  void start_requests();
  void begin_exchange(ServerStream& stream);
  void refuse(ServerStream& stream, const Error& error);

  // What streams ask for.
  void submit_head(ServerStream& stream, const ResponseBlock& block, bool ends);
  bool submit_interim(ServerStream& stream, const http::ResponseHead& head);
  void send_now(ServerStream& stream);
  void send_later(ServerStream& stream);
  void resume(ServerStream& stream);
  void consumed(ServerStream& stream, std::size_t bytes);
  void wake_reader(ServerStream& stream);
  void reset_stream(ServerStream& stream, StreamError error);
  // Ends the exchange for the client's sake, and the stream.
  void abandon(ServerStream& stream, const Error& why);
  std::size_t window_of(const ServerStream& stream) const;

  void wake_readers();
  void wake_writers();
  void discard_body(ServerStream& stream);
  // Takes the job from the stream: cancelled when it was started.
  void end_job(ServerStream& stream, const Error& why);
  // Takes the stream off the list; it goes when the tick ends.
  void remove(ServerStream& stream);

  event::Loop& loop_;
  std::unique_ptr<net::Transport> transport_;
  std::shared_ptr<const ServerSettings> settings_;
  http::StreamHandler& handler_;
  ServerOwner& owner_;
  SessionMemory memory_;
  nghttp2_session* session_ = nullptr;  // with streams it does not rest

  net::Output output_;           // what the transport did not take
  FrameBatch* batch_ = nullptr;  // while frames are collected
  ServerStream* first_ = nullptr;
  std::uint32_t streams_ = 0;
  std::vector<ServerStream*> complete_;  // requests to begin
  std::vector<ServerStream*> to_wake_;   // readers
  std::uint32_t waiting_writers_ = 0;
  std::size_t held_out_ = 0;    // bytes of all answers that wait
  std::size_t head_bytes_ = 0;  // of the heads of all requests in flight
  FloodGuard guard_;
  std::optional<Flood> flood_;
  Flood last_spent_ = Flood::Ping;
  std::string violation_;  // what nghttp2 says about the client's last mistake

  event::Timer timer_;
  TimePoint opened_;
  TimePoint idle_since_;
  TimePoint woken_{};  // without a stream
  TimePoint head_begun_{};
  TimePoint drain_begun_{};
  TimePoint goodbye_by_{};
  TimePoint taken_at_{};              // while blocked: when the transport last took a byte
  std::int32_t open_head_ = 0;        // stream whose header section is not complete
  std::uint32_t head_frames_ = 0;     // bytes of the frames of the section that is read
  ServerStream* decoding_ = nullptr;  // whose section is, or was last
  std::uint32_t requests_ = 0;
  State state_ = State::Open;
  bool readable_ = false;
  bool sending_ = false;
  bool blocked_ = false;  // the transport takes no more now
  bool broken_ = false;
  bool rests_ = false;  // the session's memory was given back
  bool draining_ = false;
  bool said_goodbye_ = false;  // the last GOAWAY was queued
  bool finished_ = false;      // our FIN is out
  bool explained_ = false;     // why the connection ends was logged
  std::uint8_t read_in_ = 0;   // low bits of the tick of the last read
};

}  // namespace fairlead::codec::h2
