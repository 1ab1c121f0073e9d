#include "engine/codec/h2/server_stream.h"

#include "engine/base/strings.h"
#include "engine/codec/asks_to_close.h"
#include "engine/codec/h1/http_date.h"
#include "engine/codec/h2/response_block.h"
#include "engine/codec/h2/server.h"
#include "engine/codec/h2/websocket.h"
#include "engine/codec/too_slow.h"
#include "engine/http/field_names.h"

#include <algorithm>

namespace fairlead::codec::h2 {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t kDirectWrite = 16 * 1024;  // from here on bytes leave straight from where they are
constexpr std::size_t kHighMark = 64 * 1024;     // what one stream holds before its writer has to wait
constexpr std::size_t kLowMark = 32 * 1024;
constexpr std::size_t kCommonHighMark = 256 * 1024;  // what all streams of a connection hold
constexpr std::size_t kCommonLowMark = 128 * 1024;
// A stream may always hold so much, so that one whose window stays shut does not stop the others.
constexpr std::size_t kOwnShare = 16 * 1024;
constexpr auto kStalledWrite = 60s;  // a client that takes no byte for so long has gone

// Counts a writer as long as it waits, or its exchange is cancelled.
class Waiting {
 public:
  explicit Waiting(std::uint32_t& count) : count_(count) { ++count_; }
  Waiting(const Waiting&) = delete;
  Waiting& operator=(const Waiting&) = delete;
  ~Waiting() { --count_; }

 private:
  std::uint32_t& count_;
};

}  // namespace

ServerStream::ServerStream(ServerConnection& connection, std::int32_t id, http::Job& job)
    : connection_(connection),
      id_(id),
      job_(&job),
      body_timer_(connection.loop_.timers(), *this),
      write_timer_(connection.loop_.timers(), *this) {
  fields_.emplace(job.head(), connection.settings_->common.limits);
}

Result<> ServerStream::gone() const { return fail(499, Fault::Client, "the client closed the stream"); }

// ---- the request's body

http::BodyPtr ServerStream::body() {
  if (!has_body_ || leased_) return nullptr;
  leased_ = true;
  return http::BodyPtr(this);
}

http::BodyPtr ServerStream::tunnel_body() {
  leased_ = true;
  return http::BodyPtr(this);
}

std::optional<std::uint64_t> ServerStream::length() const {
  if (tunnel_ || !job_ || !job_->head().content_length) return std::nullopt;
  return *job_->head().content_length - received_;
}

http::Fields* ServerStream::trailers() { return trailers_ && !trailers_->empty() ? &*trailers_ : nullptr; }

std::optional<Result<http::Chunk>> ServerStream::take_body(std::size_t max_bytes) {
  if (failed_) return std::unexpected(*failed_);
  if (in_.empty()) {
    in_.drop();
    if (ended_in_) return http::Chunk{{}, true};
    return std::nullopt;
  }
  const std::string_view bytes = in_.view().substr(0, std::max<std::size_t>(max_bytes, 1));
  in_.consume(bytes.size());
  received_ += bytes.size();
  connection_.consumed(*this, bytes.size());
  return http::Chunk{bytes, ended_in_ && in_.empty()};
}

Task<Result<http::Chunk>> ServerStream::read(std::size_t max_bytes) {
  if (!std::exchange(wanted_, true)) body_wanted();
  if (auto now = take_body(max_bytes)) return Task<Result<http::Chunk>>::ready(std::move(*now));
  if (is_cut()) return Task<Result<http::Chunk>>::ready(std::unexpected(gone().error()));
  return wait_and_read(max_bytes);
}

Task<Result<http::Chunk>> ServerStream::wait_and_read(std::size_t max_bytes) {
  event::Loop& loop = connection_.loop_;
  const h1::ServerSettings& settings = connection_.settings_->common;
  waits_for_body_ = true;
  if (!tunnel_) {
    const TimePoint due =
        pace_.wait_begins(loop.now(), settings.read_timeout, settings.read_timeout_whole, received_);
    if (due != TimePoint::max()) body_timer_.arm(due);
  }
  for (;;) {
    co_await readable_.wait();
    if (auto now = take_body(max_bytes)) {
      waits_for_body_ = false;
      body_timer_.cancel();
      pace_.wait_ends(loop.now());
      co_return std::move(*now);
    }
  }
}

void ServerStream::body_wanted() {
  if (!std::exchange(expects_continue_, false) || head_sent_ || !in_.empty() || is_cut()) return;
  http::ResponseHead head(job_->head().arena());
  head.status = 100;
  connection_.submit_interim(*this, head);
}

// ---- the answer

Result<> ServerStream::informational(const http::ResponseHead& head) {
  if (is_cut() || head_sent_) return gone();
  if (head.status == 100 && !std::exchange(expects_continue_, false)) return {};
  if (!connection_.submit_interim(*this, head))
    return fail(502, Fault::Upstream, "an interim response with bytes that a field may not hold");
  return {};
}

Task<Result<>> ServerStream::send(const http::ResponseHead& head, bool last) {
  if (is_cut()) return Task<Result<>>::ready(gone());
  if (head_sent_) return Task<Result<>>::ready(fail(500, Fault::Proxy, "a second response head"));
  int status = head.status;
  std::optional<std::uint64_t> length;
  bool ends = last;
  if (status == 101) {
    // RFC 8441 §5: an open tunnel is a 200 here. Nobody else checks the server's answer to the key we made.
    const std::string_view key = job_->head().fields.get("Sec-WebSocket-Key");
    if (trim(head.fields.get("Sec-WebSocket-Accept")) != websocket_accept(key))
      return Task<Result<>>::ready(
          fail(502, Fault::Upstream, "the server's Sec-WebSocket-Accept does not fit the key it was sent"));
    status = 200;
    ends = false;
  } else if (!job_->head().upgrade.empty() && status >= 200 && status < 300) {
    // RFC 8441 §5: the client would take it for a tunnel.
    return Task<Result<>>::ready(
        fail(502, Fault::Upstream, "the server answered without switching protocols"));
  } else if (head_request_ || http::never_has_content(status)) {
    ends = true;
    // HEAD and 304 may say what length the content would have (RFC 9110 §8.6); 1xx and 204 must not.
    if ((head_request_ || status == 304) && status >= 200 && status != 204) length = head.content_length;
  } else if (head.content_length) {
    length = last ? 0 : *head.content_length;
    counted_ = !last;
    response_left_ = *length;
  }
  ResponseBlock& block = ResponseBlock::of_thread();
  if (!block.fill(head, status, length, h1::http_date(connection_.loop_)))
    return Task<Result<>>::ready(
        fail(500, Fault::Proxy, "a response field holds bytes that a field may not hold"));
  head_sent_ = true;
  tunnel_ = head.status == 101;
  if (ends) response_done_ = ended_out_ = true;
  if (ends || tunnel_) {
    response_due_ = TimePoint::max();
    write_timer_.cancel();
  }
  connection_.submit_head(*this, block, ends);
  if (asks_to_close(head)) connection_.drain();
  return Task<Result<>>::ready(Result<>{});
}

bool ServerStream::keep_trailers(const http::Fields& trailers) {
  ResponseBlock& block = ResponseBlock::of_thread();
  if (!block.fill_trailers(trailers)) return false;
  if (block.size() == 0) return true;
  response_trailers_ = std::make_unique<std::vector<std::pair<std::string, std::string>>>();
  for (const http::Field& line : trailers)
    if (!http::is_forbidden_trailer(line.name)) response_trailers_->emplace_back(line.name, line.value);
  return true;
}

Task<Result<>> ServerStream::write(std::string_view bytes, bool last, const http::Fields* trailers) {
  if (is_cut()) return Task<Result<>>::ready(gone());
  if (response_done_) return Task<Result<>>::ready(Result<>{});  // HEAD: the body is not sent
  if (counted_) {
    if (bytes.size() > response_left_)
      return Task<Result<>>::ready(fail(502, Fault::Upstream, "the body is longer than its Content-Length"));
    response_left_ -= bytes.size();
    if (last && response_left_ != 0)
      return Task<Result<>>::ready(fail(502, Fault::Upstream, "the body is shorter than its Content-Length"));
  }
  if (last && !tunnel_) {
    if (trailers && !keep_trailers(*trailers))
      return Task<Result<>>::ready(fail(502, Fault::Upstream, "a trailer holds bytes that it may not hold"));
    response_done_ = ended_out_ = true;
  }
  if (bytes.size() >= kDirectWrite && out_.empty()) {
    direct_ = bytes;
    connection_.send_now(*this);
    const std::string_view rest = std::exchange(direct_, {});
    if (!over_) {
      out_.append(rest);
      connection_.held_out_ += rest.size();
    }
  } else {
    out_.append(bytes);
    connection_.held_out_ += bytes.size();
    connection_.send_later(*this);
  }
  // The last bytes go by themselves: nothing that the exchange holds is needed for them.
  if (response_done_ || has_room(kHighMark, kCommonHighMark)) return Task<Result<>>::ready(Result<>{});
  return wait_for_room();
}

bool ServerStream::has_room(std::size_t own_mark, std::size_t common_mark) const {
  return out_.size() <= kOwnShare || (out_.size() <= own_mark && connection_.held_out_ <= common_mark);
}

Task<Result<>> ServerStream::wait_for_room() {
  expect_progress();
  const Waiting counted(connection_.waiting_writers_);
  while (!has_room(kLowMark, kCommonLowMark)) {
    if (is_cut()) co_return gone();
    co_await room_.wait();
  }
  if (is_cut()) co_return gone();
  co_return Result<>{};
}

std::size_t ServerStream::room() const {
  if (is_cut()) return kOwnShare;
  const std::size_t window = connection_.window_of(*this);
  const std::size_t free = window > out_.size() ? window - out_.size() : 0;
  return std::clamp(free, kOwnShare, event::Loop::kReceiveBytes);
}

// A client that keeps its window shut, or does not read, gives up its answer after a while.
void ServerStream::expect_progress() {
  if (response_due_ != TimePoint::max()) return;  // the whole answer has its time
  last_progress_ = connection_.loop_.now();
  if (!write_timer_.armed()) write_timer_.arm(last_progress_ + kStalledWrite);
}

void ServerStream::take_ready(std::size_t count) {
  last_progress_ = connection_.loop_.now();
  if (out_.empty()) {
    direct_.remove_prefix(count);
    return;
  }
  out_.consume(count);
  connection_.held_out_ -= count;
}

Task<Result<>> ServerStream::write_from(http::Lent) {
  return Task<Result<>>::ready(fail(500, Fault::Proxy, "HTTP/2 frames cannot be spliced"));
}

void ServerStream::flush() {
  if (!is_cut()) connection_.send_later(*this);
}

void ServerStream::reset(const Error& error) {
  if (is_cut() || answered_) return;
  if (tunnel_) {
    // What the server said before leaves first, and what does not fit is worth more than the kind of the end.
    connection_.send_now(*this);
    if (is_cut() || unsent() > 0) return;
  }
  our_reset_ = true;
  response_done_ = false;
  // RFC 8441 §5: the reset of a tunnel is CANCEL.
  const bool cancels = tunnel_ || error.fault == Fault::Client;
  connection_.reset_stream(*this, cancels ? StreamError::Cancel : StreamError::Internal);
}

void ServerStream::on_timer(event::Timer& timer) {
  if (is_over()) return;
  if (&timer == &write_timer_)
    return answered_ ? connection_.reset_stream(*this, StreamError::None) : on_stalled();
  // Whoever waited may be gone: a try that another one follows.
  if (!waits_for_body_ || !readable_.has_waiter() || failed_) return;
  failed_ = Error{408, Fault::Client, false, "the request body came too slowly (readTimeout)"};
  readable_.notify();
}

void ServerStream::on_stalled() {
  const TimePoint now = connection_.loop_.now();
  if (response_due_ == TimePoint::max()) {
    if (out_.empty()) return;
    if (now - last_progress_ < Duration(kStalledWrite))
      return write_timer_.arm(last_progress_ + kStalledWrite);
  }
  our_reset_ = true;
  connection_.abandon(*this, too_slow(response_due_ != TimePoint::max()));
}

}  // namespace fairlead::codec::h2
