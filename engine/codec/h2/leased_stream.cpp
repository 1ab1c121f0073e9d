#include "engine/codec/h2/leased_stream.h"

#include "engine/base/strings.h"
#include "engine/codec/h2/client.h"
#include "engine/codec/h2/client_head.h"

#include <fmt/format.h>

#include <algorithm>

namespace fairlead::codec::h2 {
namespace {

constexpr std::size_t kDirectWrite = 16 * 1024;  // from here on bytes leave straight from where they are
constexpr std::size_t kHighMark = 64 * 1024;     // of a request body that waits for the peer's window
constexpr std::size_t kLowMark = 32 * 1024;
constexpr std::size_t kMaxWaitingHeads = 32;  // interim responses that nobody has read yet

}  // namespace

LeasedStream::LeasedStream(ClientConnection& connection, event::Loop& loop, bool reused)
    : connection_(connection), loop_(loop), timer_(loop.timers(), *this), body_(*this), reused_(reused) {}

void LeasedStream::release() {
  timer_.cancel();
  connection_.give_back(*this);
}

Task<Result<>> LeasedStream::send(const http::RequestHead& head, std::string_view host, bool last) {
  if (head.method == "CONNECT" || !head.upgrade.empty())
    return Task<Result<>>::ready(fail(501, Fault::Proxy, "no tunnel to an HTTP/2 server"));
  head_request_ = head.method == "HEAD";
  if (head.content_length && (!last || *head.content_length == 0)) request_left_ = *head.content_length;
  out_ended_ = last;
  asked_at_ = loop_.now();
  return Task<Result<>>::ready(connection_.submit(*this, head, host, request_left_, last));
}

Task<Result<>> LeasedStream::write(std::string_view bytes, bool last, const http::Fields* trailers) {
  if (failure_) return Task<Result<>>::ready(std::unexpected(*failure_));
  if (closed_)
    return Task<Result<>>::ready(
        fail(502, Fault::Upstream, "the server answered and takes no more of the request"));
  if (request_left_) {
    if (bytes.size() > *request_left_ || (last && bytes.size() != *request_left_))
      return Task<Result<>>::ready(fail(400, Fault::Client, "the body is not as long as its Content-Length"));
    *request_left_ -= bytes.size();
  }
  if (last && trailers)
    for (const http::Field& line : *trailers) {
      if (!is_fit(line))
        return Task<Result<>>::ready(fail(400, Fault::Client, "a trailer holds bytes that it may not hold"));
      if (travels(line)) trailers_.emplace_back(line.name, line.value);
    }
  out_ended_ = last;
  const bool large = bytes.size() >= kDirectWrite && out_.empty();
  if (large)
    direct_ = bytes;
  else
    out_.append(bytes);
  connection_.resume(*this);
  if (large) {
    connection_.flush();
    if (const std::string_view rest = std::exchange(direct_, {}); !rest.empty()) out_.append(rest);
  } else {
    connection_.flush_later();
  }
  if (out_.size() <= kHighMark) return Task<Result<>>::ready(Result<>{});
  return wait_for_room();
}

Task<Result<>> LeasedStream::wait_for_room() {
  while (!failure_ && !closed_ && out_.size() > kLowMark) co_await room_.wait();
  if (failure_) co_return std::unexpected(*failure_);
  co_return Result<>{};
}

Task<Result<>> LeasedStream::write_from(http::Lent) {
  return Task<Result<>>::ready(fail(500, Fault::Proxy, "HTTP/2 frames cannot be spliced"));
}

std::string_view LeasedStream::next_data(std::size_t room) const {
  return (direct_.empty() ? out_.view() : direct_).substr(0, room);
}

void LeasedStream::data_sent(std::size_t bytes) {
  if (!direct_.empty()) {
    direct_.remove_prefix(bytes);
    return;
  }
  out_.consume(bytes);
  if (out_.size() <= kLowMark && room_.has_waiter()) connection_.wake_later(*this);
}

void LeasedStream::head_complete(bool end_of_stream) {
  const bool interim = incoming_.status < 200;
  if (!final_here_) {
    head_bytes_ += incoming_.bytes();
    head_lines_ += incoming_.lines();
    if (interim && heads_.size() == kMaxWaitingHeads)
      return fail_with({502, Fault::Upstream, false, "the server sent too many interim responses"});
    final_here_ = !interim;
    bodiless_ = end_of_stream;
    heads_.push_back(std::move(incoming_));
  } else {
    body_.trailer_block() = std::move(incoming_);
  }
  incoming_.clear();
  if (end_of_stream) body_.end();
  connection_.wake_later(*this);
}

bool LeasedStream::take_head(http::ResponseHead& head) {
  if (heads_.empty()) return false;
  const FieldBlock block = std::move(heads_.front());
  heads_.erase(heads_.begin());
  head_bytes_ -= block.bytes();
  head_lines_ -= block.lines();
  head.clear();
  head.status = block.status;
  head.version = http::Version::Http2;
  block.copy_to(head.fields);
  // One number, or none: the session sees to it.
  head.content_length = parse_digits(head.fields.get(http::Name::ContentLength));
  if (head.status < 200) return true;
  status_ = head.status;
  head.chunked = !bodiless_ && !head.content_length && !head_request_;
  body_.begin(head.content_length, head.fields.arena());
  return true;
}

Task<Result<>> LeasedStream::receive(http::ResponseHead& head, TimePoint deadline) {
  if (take_head(head)) return Task<Result<>>::ready(Result<>{});
  if (failure_) return Task<Result<>>::ready(std::unexpected(*failure_));
  if (deadline != TimePoint::max()) timer_.arm(deadline);
  return wait_for_head(head);
}

Task<Result<>> LeasedStream::wait_for_head(http::ResponseHead& head) {
  for (;;) {
    co_await head_signal_.wait();
    if (take_head(head)) break;
    if (failure_) co_return std::unexpected(*failure_);
    if (timed_out_)
      co_return fail(
          504, Fault::Upstream,
          fmt::format("server {}: no response head in time (responseHeaderTimeout)", connection_.peer()));
  }
  timer_.cancel();
  co_return Result<>{};
}

http::BodyPtr LeasedStream::body() {
  if (bodiless_ || head_request_ || http::never_has_content(status_)) return nullptr;
  return body_.lease();
}

bool LeasedStream::sent_anything() const {
  return !refused_ && head_at_ != kNotYet && connection_.written_ > head_at_;
}

bool LeasedStream::turned_down() const { return refused_ && (!reused_ || connection_.usable()); }

void LeasedStream::abort(const Error& why) {
  if (why.fault == Fault::Upstream) connection_.doubt(asked_at_);
  failure_ = why;
  body_.fail(why);
  connection_.cancel(*this);
  // Not inside a call of the exchange: whoever is woken may let go of the stream.
  connection_.wake_later(*this);
}

void LeasedStream::keep_out_of_pool() { connection_.retire(); }

void LeasedStream::bytes_read(std::size_t bytes) { connection_.consumed(*this, bytes); }

void LeasedStream::on_timer(event::Timer&) {
  timed_out_ = true;
  connection_.doubt(asked_at_);
  head_signal_.notify();
}

void LeasedStream::fail_with(Error why) {
  if (!failure_ && !(final_here_ && body_.ended())) {
    body_.fail(why);
    failure_ = std::move(why);
  }
  connection_.wake_later(*this);
}

void LeasedStream::wake() {
  // Each may let go of the stream; it stays in memory until the tick ends.
  head_signal_.notify();
  body_.wake();
  room_.notify();
}

}  // namespace fairlead::codec::h2
