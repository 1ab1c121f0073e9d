#pragma once

#include "engine/base/task.h"
#include "engine/event/timer.h"
#include "engine/exchange/exchange.h"
#include "engine/exchange/response.h"
#include "engine/http/stream.h"
#include "engine/upstream/server_state.h"

#include <memory>
#include <optional>
#include <string_view>
#include <vector>

namespace fairlead::service {

// Counts a request on a server while it lives.
class InFlight {
 public:
  explicit InFlight(std::shared_ptr<upstream::ServerState> state) : state_(std::move(state)) {
    state_->in_flight.fetch_add(1, std::memory_order_relaxed);
  }
  InFlight(const InFlight&) = delete;
  InFlight& operator=(const InFlight&) = delete;
  ~InFlight() { state_->in_flight.fetch_sub(1, std::memory_order_relaxed); }

 private:
  std::shared_ptr<upstream::ServerState> state_;
};

// How requests are put to the servers of a service.
struct ForwardOptions {
  bool pass_host_header = true;
  bool flush_each = false;  // hand every chunk to the client at once
};

// One try of one request on one server: the leased stream and the pump of the request body. It becomes the
// response's body, and everything it holds ends with it.
class Attempt final : public http::Body, public exchange::Upgraded, event::TimerUser {
 public:
  // `begun`: when the service was asked, for the time that the record tells.
  Attempt(exchange::Exchange& x, http::ClientStreamPtr stream, std::shared_ptr<upstream::ServerState> state,
          TimePoint begun);
  ~Attempt() override { x_.record.origin_duration = x_.loop.now() - begun_; }
  static void* operator new(std::size_t bytes) { return take_frame(bytes); }
  static void operator delete(void* at, std::size_t bytes) { return_frame(at, bytes); }

  // Sends the head and starts the pump.
  Result<> send(const upstream::Server& server, const ForwardOptions& options);
  // The final response head; 1xx ones go to the client. The time until `deadline` begins anew when the last
  // of the body was sent. Errors as ClientStream::receive, or the client's own when its body failed.
  Task<Result<>> receive(http::ResponseHead& head, TimePoint deadline);
  // Takes the response's body: from now on this object is it.
  bool take_body(const http::ResponseHead& head);

  // The server logs this connection in: it stays with the client's.
  void bind_connection();
  bool body_touched() const { return body_touched_; }
  const http::ClientStream& stream() const { return *stream_; }

  // http::Body
  Task<Result<http::Chunk>> read(std::size_t max_bytes) override;
  std::optional<std::uint64_t> length() const override { return body_ ? body_->length() : 0; }
  bool tunnel() const override { return tunnel_; }
  std::optional<http::Lent> lend() override { return body_ ? body_->lend() : std::nullopt; }
  http::Fields* trailers() override;
  // exchange::Upgraded
  void begin_tunnel(http::BodyPtr from_client) override;

 private:
  Task<void> pump_body();
  Task<void> pump_tunnel();
  Task<Result<http::Chunk>> count_later(Task<Result<http::Chunk>> pending);
  void let_body_go();
  void body_gone();
  void on_timer(event::Timer&) override;

  exchange::Exchange& x_;
  TimePoint begun_;
  InFlight in_flight_;
  http::ClientStreamPtr stream_;
  http::BodyPtr body_;                         // of the response
  std::vector<std::string_view> of_this_hop_;  // trailers of the response that go no further
  http::BodyPtr from_client_;                  // of a tunnel
  event::Timer timer_;     // for the 100 that the body waits for, later for the response head
  Duration head_limit_{};  // 0: none, or not ours to measure
  Signal continue_;
  std::optional<Error> client_error_;
  bool body_touched_ = false;
  bool may_send_body_ = true;
  bool answered_ = false;
  bool tunnel_ = false;
  Task<void> pump_;  // last member: it uses all others and goes first
};

}  // namespace fairlead::service
