#include "engine/codec/asks_to_close.h"
#include "engine/codec/h1/chunked.h"
#include "engine/codec/h1/http_date.h"
#include "engine/codec/h1/server.h"

#include <fmt/format.h>

#include <array>
#include <cstring>

namespace fairlead::codec::h1 {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t kDirectWrite = 16 * 1024;  // from here on bytes leave straight from where they are
constexpr std::size_t kHighMark = 64 * 1024;     // output that may wait before the writer has to
constexpr std::size_t kLowMark = 32 * 1024;
constexpr std::string_view kChunkEndAndLast = "\r\n0\r\n\r\n";
constexpr auto kStalledWrite = 60s;  // a client that takes no byte for so long has gone

// A response that leaves no time to read on in: it is short, or it refuses the request.
bool is_soon_over(const http::ResponseHead& head, bool last) {
  return last || head.status >= 400 || http::never_has_content(head.status) ||
         head.content_length.value_or(kHighMark + 1) <= kHighMark;
}

}  // namespace

Result<> ServerConnection::gone() const {
  return fail(499, Fault::Client, "the client closed the connection");
}

void ServerConnection::note_progress() { last_progress_ = loop_.now(); }

void ServerConnection::limit_write(TimePoint due) {
  event::TimerUser& user = *this;
  if (!write_timer_) write_timer_ = std::make_unique<event::Timer>(loop_.timers(), user);
  write_timer_->arm(due);
}

void ServerConnection::lift_write_limit() {
  if (write_timer_) write_timer_->cancel();
}

Result<> ServerConnection::informational(const http::ResponseHead& head) {
  if (broken_ || head_sent_) return gone();
  if (http10_) return {};  // RFC 9110 §15.2: no 1xx to an HTTP/1.0 client
  if (head.status == 100) {
    if (!std::exchange(expects_continue_, false)) return {};
    output_.append("HTTP/1.1 100 Continue\r\n\r\n");
  } else {
    const Framing framing;
    char* to = output_.reserve(response_head_size(head, framing));
    char* end = write_response_head(to, head, framing);
    if (!end) return fail(502, Fault::Upstream, "an interim response with bytes that a field may not hold");
    output_.commit(static_cast<std::size_t>(end - to));
  }
  loop_.at_tick_end(*this);
  return {};
}

Framing ServerConnection::frame(const http::ResponseHead& head, bool last) {
  Framing framing;
  const bool no_content = head_request_ || http::never_has_content(head.status);
  if (no_content) {
    // HEAD and 304 may say what length the content would have (RFC 9110 §8.6); 1xx and 204 must not.
    if (head.content_length && (head_request_ || head.status == 304) && head.status >= 200 &&
        head.status != 204)
      framing = {.body = BodyFraming::Length, .length = *head.content_length};
    else if (head.chunked && head_request_ && !http10_ && head.status != 204 && head.status != 304)
      framing.body = BodyFraming::Chunked;
  } else if (last) {
    framing = {.body = BodyFraming::Length, .length = 0};
  } else if (head.content_length) {
    framing = {.body = BodyFraming::Length, .length = *head.content_length};
  } else {
    framing.body = http10_ ? BodyFraming::UntilClose : BodyFraming::Chunked;
  }
  framing_ = no_content ? BodyFraming::None : framing.body;
  response_left_ = no_content ? 0 : framing.length;
  if (framing_ == BodyFraming::UntilClose || draining_ || body_.broken()) keep_alive_ = false;
  if (settings_->keep_alive_max_requests > 0 && requests_ >= settings_->keep_alive_max_requests)
    keep_alive_ = false;
  if (settings_->keep_alive_max_time > 0s && loop_.now() - opened_ >= settings_->keep_alive_max_time)
    keep_alive_ = false;
  if (asks_to_close(head)) keep_alive_ = false;
  // An answer before the request was read: the rest must not be taken for the next request. Small rests that
  // are here already are read on, and so is what somebody reads during a long response; everything else ends
  // the connection.
  if (!body_.complete() && !(body_.leased() && body_.wanted() && !is_soon_over(head, last)) &&
      (body_.kind() != BodyKind::Length || body_.left() > input_.bytes().size()))
    keep_alive_ = false;
  framing.close = !keep_alive_;
  framing.keep_alive = keep_alive_ && http10_;
  framing.http10 = http10_;
  if (!head.fields.has(http::Name::Date)) framing.date = http_date(loop_);
  return framing;
}

Task<Result<>> ServerConnection::send(const http::ResponseHead& head, bool last) {
  if (broken_ || state_ != State::Busy) return Task<Result<>>::ready(gone());
  if (head_sent_) return Task<Result<>>::ready(fail(500, Fault::Proxy, "a second response head"));
  Framing framing;
  if (head.status == 101) {
    framing.upgrade = head.upgrade;
  } else {
    framing = frame(head, last);
  }
  char* to = output_.reserve(response_head_size(head, framing));
  char* end = write_response_head(to, head, framing);
  if (!end)
    return Task<Result<>>::ready(
        fail(500, Fault::Proxy, "a response field holds bytes that a field may not hold"));
  output_.commit(static_cast<std::size_t>(end - to));
  head_sent_ = true;
  if (head.status == 101) {
    tunnel_ = true;
    keep_alive_ = false;
    lift_write_limit();
    response_due_ = TimePoint::max();
  }
  if (!tunnel_ && (last || framing_ == BodyFraming::None))
    end_response();
  else
    loop_.at_tick_end(*this);
  return Task<Result<>>::ready(Result<>{});
}

void ServerConnection::end_response() {
  response_done_ = true;
  response_due_ = TimePoint::max();
  lift_write_limit();
  // Nothing follows that could leave with it: waiting for the end of the tick would only let the client idle.
  flush_output();
}

Task<Result<>> ServerConnection::write(std::string_view bytes, bool last, const http::Fields* trailers) {
  if (broken_ || state_ != State::Busy) return Task<Result<>>::ready(gone());
  if (response_done_) return Task<Result<>>::ready(Result<>{});  // HEAD: the body is not sent
  std::array<char, kMaxChunkHead> size_line;
  std::string_view head;
  std::string_view tail;
  if (!tunnel_ && framing_ == BodyFraming::Length) {
    if (bytes.size() > response_left_)
      return Task<Result<>>::ready(fail(502, Fault::Upstream, "the body is longer than its Content-Length"));
    response_left_ -= bytes.size();
    if (last && response_left_ != 0)
      return Task<Result<>>::ready(fail(502, Fault::Upstream, "the body is shorter than its Content-Length"));
  } else if (!tunnel_ && framing_ == BodyFraming::Chunked && !bytes.empty()) {
    head = {size_line.data(),
            static_cast<std::size_t>(write_chunk_head(size_line.data(), bytes.size()) - size_line.data())};
    tail = last && !trailers ? kChunkEndAndLast : kChunkEnd;
  }
  const bool ended = tail.size() > kChunkEnd.size();
  if (bytes.size() >= kDirectWrite) {
    const net::IoResult written = output_.flush(*transport_, head, bytes, tail);
    if (written.status == net::IoStatus::Failed) {
      broken_ = true;
      return Task<Result<>>::ready(gone());
    }
    if (written.bytes > 0) note_progress();
  } else {
    output_.append(head);
    output_.append(bytes);
    output_.append(tail);
  }
  if (last && !tunnel_) {
    if (framing_ == BodyFraming::Chunked && !ended) {
      std::string end(kLastChunk);
      if (trailers) {
        end.clear();
        if (!append_last_chunk(end, *trailers))
          return Task<Result<>>::ready(
              fail(502, Fault::Upstream, "a trailer holds bytes that it may not hold"));
      }
      output_.append(end);
    }
    end_response();
  }
  if (!output_.empty()) loop_.at_tick_end(*this);
  if (output_.size() <= kHighMark) return Task<Result<>>::ready(Result<>{});
  return wait_for_room(kLowMark);
}

Task<Result<>> ServerConnection::wait_for_room(std::size_t low_mark) {
  if (!flush_output()) co_return gone();
  while (output_.size() > low_mark) {
    co_await room_.wait();
    if (broken_ || state_ == State::Closed) co_return gone();
  }
  co_return Result<>{};
}

// False when the connection is over.
bool ServerConnection::flush_output() {
  if (output_.empty()) {
    return state_ != State::Closed;
  }
  if (broken_) return false;
  const net::IoResult written = output_.flush(*transport_);
  if (written.status == net::IoStatus::Failed) {
    broken_ = true;
    // Not inside one of the exchange's own calls: the loop tells us with on_broken, or the next write fails.
    if (state_ != State::Busy) close_connection();
    return false;
  }
  if (written.bytes > 0) note_progress();
  if (output_.empty()) {
    if (response_due_ == TimePoint::max()) lift_write_limit();
  } else if (response_due_ == TimePoint::max()) {
    limit_write(loop_.now() + kStalledWrite);
  }
  return true;
}

bool ServerConnection::can_splice() const {
  return framing_ == BodyFraming::Length && !head_request_ && transport_->plain_fd() >= 0 &&
         net::can_splice();
}

Task<Result<>> ServerConnection::write_from(http::Lent from) {
  if (broken_ || state_ != State::Busy) return Task<Result<>>::ready(gone());
  if (from.bytes != response_left_)
    return Task<Result<>>::ready(fail(502, Fault::Upstream, "the body is not as long as its Content-Length"));
  return splice_from(from);
}

Task<Result<>> ServerConnection::splice_from(http::Lent from) {
  Result<> ready = co_await wait_for_room(0);
  if (!ready) co_return ready;
  Result<> moved = co_await net::splice_all(from, *this, Fault::Upstream);
  lift_write_limit();
  if (!moved) co_return moved;
  end_response();
  co_return Result<>{};
}

Task<Result<>> ServerConnection::splice_writable() {
  if (response_due_ == TimePoint::max()) limit_write(loop_.now() + kStalledWrite);
  transport_->want_writable();
  co_await room_.wait();
  if (broken_ || state_ == State::Closed) co_return gone();
  co_return Result<>{};
}

void ServerConnection::spliced(std::uint64_t bytes) {
  response_left_ -= bytes;
  note_progress();
}

void ServerConnection::reset(const Error&) {
  // Nothing complete-looking may reach the client: no last chunk, no matching length.
  keep_alive_ = false;
  response_done_ = false;
  loop_.at_tick_end(*this);
}

http::BodyPtr ServerConnection::tunnel_body() {
  body_.begin_tunnel();
  return body_.lease();
}

}  // namespace fairlead::codec::h1
