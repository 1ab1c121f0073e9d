#pragma once

#include "engine/base/frame_pool.h"
#include "engine/codec/body_pace.h"
#include "engine/codec/h2/request_fields.h"
#include "engine/codec/h2/waiting_bytes.h"
#include "engine/event/loop.h"
#include "engine/http/stream.h"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace fairlead::codec::h2 {

class ServerConnection;

// One request of an HTTP/2 connection and its answer. It lives until the stream is closed and its exchange
// has ended, whichever comes last.
class ServerStream final : public event::Destroyable,
                           public http::ServerStream,
                           http::Body,
                           event::TimerUser {
 public:
  ServerStream(ServerConnection& connection, std::int32_t id, http::Job& job);
  static void* operator new(std::size_t bytes) { return take_frame(bytes); }
  static void operator delete(void* at, std::size_t bytes) { return_frame(at, bytes); }

  // http::ServerStream
  http::BodyPtr body() override;
  Result<> informational(const http::ResponseHead& head) override;
  Task<Result<>> send(const http::ResponseHead& head, bool last) override;
  Task<Result<>> write(std::string_view bytes, bool last, const http::Fields* trailers) override;
  std::size_t room() const override;
  Task<Result<>> write_from(http::Lent from) override;
  void flush() override;
  void reset(const Error& error) override;
  http::BodyPtr tunnel_body() override;

 private:
  friend class ServerConnection;
  friend struct ServerCallbacks;

  // http::Body: of the request
  Task<Result<http::Chunk>> read(std::size_t max_bytes) override;
  std::optional<std::uint64_t> length() const override;
  bool tunnel() const override { return tunnel_; }
  http::Fields* trailers() override;
  void release() override { leased_ = false; }

  void on_timer(event::Timer& timer) override;
  void on_stalled();

  std::optional<Result<http::Chunk>> take_body(std::size_t max_bytes);
  Task<Result<http::Chunk>> wait_and_read(std::size_t max_bytes);
  void body_wanted();

  Task<Result<>> wait_for_room();
  bool has_room(std::size_t own_mark, std::size_t common_mark) const;
  bool keep_trailers(const http::Fields& trailers);
  void expect_progress();
  // Of the answer: what can leave next, in one piece, and all of it.
  std::string_view ready_bytes() const { return out_.empty() ? direct_ : out_.view(); }
  std::size_t unsent() const { return out_.size() + direct_.size(); }
  void take_ready(std::size_t count);
  Result<> gone() const;
  bool is_over() const { return over_ || closed_; }
  // Nothing the exchange does reaches the client any more.
  bool is_cut() const { return is_over() || !job_; }

  ServerConnection& connection_;
  const std::int32_t id_;
  http::Job* job_;  // null once it ended, or was cancelled

  // While the head is read.
  std::optional<RequestFields> fields_;
  std::optional<Error> refusal_;  // answered when the head is complete
  std::size_t dropped_ = 0;       // bytes of fields after the refusal
  std::size_t head_bytes_ = 0;

  // The request's body.
  WaitingBytes in_;
  std::uint64_t received_ = 0;  // bytes handed out
  std::uint32_t unwanted_ = 0;  // bytes that came after the answer
  std::optional<http::Fields> trailers_;
  std::optional<TrailerFields> trailer_fields_;
  std::optional<Error> failed_;
  BodyPace pace_;
  event::Timer body_timer_;
  Signal readable_;

  // The answer.
  WaitingBytes out_;         // what the peer has no window for
  std::string_view direct_;  // of the write() that runs
  std::uint64_t response_left_ = 0;
  std::unique_ptr<std::vector<std::pair<std::string, std::string>>> response_trailers_;
  TimePoint last_progress_{};
  TimePoint response_due_ = TimePoint::max();
  event::Timer write_timer_;  // after it: until the rest of the request is refused
  Signal room_;

  bool started_ = false;       // the job was
  bool over_ = false;          // taken off the connection
  bool closed_ = false;        // nghttp2 knows the stream no more
  bool head_request_ = false;  // HEAD
  bool has_body_ = false;      // the request
  bool leased_ = false;        // its body is
  bool discards_ = false;      // nobody will read what still comes
  bool ended_in_ = false;      // END_STREAM came
  bool wanted_ = false;        // the body was asked for
  bool expects_continue_ = false;
  bool waits_for_body_ = false;
  bool to_wake_ = false;  // its reader is, after what was received
  bool counted_ = false;  // the answer has a Content-Length
  bool head_sent_ = false;
  bool response_done_ = false;  // all of it was given to us
  bool ended_out_ = false;      // END_STREAM follows what waits
  bool answer_begun_ = false;   // the head left
  bool answered_ = false;       // END_STREAM left
  bool deferred_ = false;       // nghttp2 waits for resume
  bool our_reset_ = false;      // not the client's doing
  bool tunnel_ = false;

  // Links of the connection's list.
  ServerStream* next_ = nullptr;
  ServerStream* previous_ = nullptr;
};

}  // namespace fairlead::codec::h2
