#include "engine/codec/h1/client.h"

#include "engine/base/prefetch.h"
#include "engine/codec/h1/chunked.h"

#include <fmt/format.h>

#include <array>
#include <cstring>

namespace fairlead::codec::h1 {
namespace {

constexpr std::size_t kDirectWrite = 16 * 1024;
constexpr std::size_t kHighMark = 64 * 1024;
constexpr std::size_t kLowMark = 32 * 1024;
constexpr std::uint64_t kMinSplice = 64 * 1024;  // below it a pipe costs more than the copies it saves
// How servers say that nobody asked for long, before they close (RFC 9110 §15.5.9).
constexpr std::string_view kTimeout11 = "HTTP/1.1 408";
constexpr std::string_view kTimeout10 = "HTTP/1.0 408";

}  // namespace

ClientConnection::ClientConnection(event::Loop& loop, std::unique_ptr<net::Transport> transport,
                                   ClientOwner& owner)
    : loop_(loop),
      transport_(std::move(transport)),
      owner_(owner),
      input_(loop, *transport_),
      body_(input_, *transport_, *this, Fault::Upstream),
      timer_(loop.timers(), *this) {
  transport_->set_user(this);
}

http::ClientStreamPtr ClientConnection::lease() {
  leased_ = true;
  ++exchanges_;
  scanned_ = 0;
  request_done_ = response_begun_ = tunnel_ = sent_anything_ = received_anything_ = timed_out_ = false;
  keep_alive_ = true;
  asked_in_ = 0;
  return http::ClientStreamPtr(this);
}

void ClientConnection::retire() {
  retired_ = true;
  if (!leased_) close_connection();
}

void ClientConnection::release() {
  leased_ = false;
  timer_.cancel();
  if (closed_) return;
  const bool clean = request_done_ && output_.empty() && response_begun_ && body_.complete() && !tunnel_ &&
                     keep_alive_ && poolable_ && !retired_ && usable();
  if (!clean) return close_connection();
  // Bytes after the end of an answer belong to nobody (response queue poisoning). What splice(2) or a full
  // buffer ended with may not have been all: then the socket is asked.
  if (!input_.empty()) spoke_unasked_ = true;
  if (spoke_unasked_ || (input_.readable() && listen() != Heard::Nothing)) return close_connection();
  input_.trim();
  owner_.idle(*this);
}

Task<Result<>> ClientConnection::send(const http::RequestHead& head, std::string_view host, bool last) {
  if (!usable()) return Task<Result<>>::ready(lost("closed before the request was sent"));
  // What came along with the end of a handshake was announced to nobody.
  if (exchanges_ == 1 && transport_->plain_fd() < 0 && refuse_unasked())
    return Task<Result<>>::ready(lost("it answered before it was asked"));
  asked_in_ = loop_.tick();
  method_ = head.method;
  Framing framing;
  if (!head.upgrade.empty()) {
    framing.upgrade = head.upgrade;
    poolable_ = false;
  } else if (head.content_length && (!last || *head.content_length == 0)) {
    framing = {.body = BodyFraming::Length, .length = *head.content_length};
  } else if (!last) {
    framing.body = BodyFraming::Chunked;
  }
  request_framing_ = last ? BodyFraming::None : framing.body;
  request_left_ = framing.length;
  char* to = output_.reserve(request_head_size(head, host, framing));
  char* end = write_request_head(to, head, host, framing);
  if (!end)
    return Task<Result<>>::ready(
        fail(500, Fault::Proxy, "a request field holds bytes that a field may not hold"));
  output_.commit(static_cast<std::size_t>(end - to));
  request_done_ = last;
  // The requests of a tick leave one after the other: a server that the first one wakes finds the others too,
  // and each wake-up that is saved is our time.
  loop_.at_tick_end(*this);
  return Task<Result<>>::ready(Result<>{});
}

Task<Result<>> ClientConnection::write(std::string_view bytes, bool last, const http::Fields* trailers) {
  if (closed_ || broken_) return Task<Result<>>::ready(lost("closed while the request was sent"));
  std::array<char, kMaxChunkHead> size_line;
  std::string_view head;
  std::string_view tail;
  if (!tunnel_ && request_framing_ == BodyFraming::Length) {
    if (bytes.size() > request_left_ || (last && bytes.size() != request_left_))
      return Task<Result<>>::ready(fail(400, Fault::Client, "the body is not as long as its Content-Length"));
    request_left_ -= bytes.size();
  } else if (!tunnel_ && request_framing_ == BodyFraming::Chunked && !bytes.empty()) {
    head = {size_line.data(),
            static_cast<std::size_t>(write_chunk_head(size_line.data(), bytes.size()) - size_line.data())};
    tail = kChunkEnd;
  }
  if (bytes.size() >= kDirectWrite) {
    const net::IoResult written = output_.flush(*transport_, head, bytes, tail);
    if (written.status == net::IoStatus::Failed) {
      broken_ = true;
      error_ = written.error;
      return Task<Result<>>::ready(lost("closed while the request was sent"));
    }
    sent_anything_ = sent_anything_ || written.bytes > 0;
  } else {
    output_.append(head);
    output_.append(bytes);
    output_.append(tail);
  }
  if (last && !tunnel_) {
    if (request_framing_ == BodyFraming::Chunked) {
      std::string end(kLastChunk);
      if (trailers) {
        end.clear();
        if (!append_last_chunk(end, *trailers))
          return Task<Result<>>::ready(
              fail(400, Fault::Client, "a trailer holds bytes that it may not hold"));
      }
      output_.append(end);
    }
    request_done_ = true;
  }
  if (last && tunnel_) {
    request_done_ = true;
    if (output_.empty()) transport_->finish_writing();
  }
  if (!output_.empty()) loop_.at_tick_end(*this);
  if (output_.size() <= kHighMark) return Task<Result<>>::ready(Result<>{});
  return wait_for_room(kLowMark);
}

Task<Result<>> ClientConnection::wait_for_room(std::size_t low_mark) {
  if (!flush_output()) co_return lost("closed while the request was sent");
  while (output_.size() > low_mark) {
    co_await room_.wait();
    if (broken_ || closed_) co_return lost("closed while the request was sent");
  }
  co_return Result<>{};
}

bool ClientConnection::can_splice() const {
  return request_framing_ == BodyFraming::Length && request_left_ >= kMinSplice &&
         transport_->plain_fd() >= 0 && net::can_splice();
}

Task<Result<>> ClientConnection::write_from(http::Lent from) {
  if (from.bytes != request_left_)
    return Task<Result<>>::ready(fail(400, Fault::Client, "the body is not as long as its Content-Length"));
  return splice_from(from);
}

Task<Result<>> ClientConnection::splice_from(http::Lent from) {
  Result<> ready = co_await wait_for_room(0);
  if (!ready) co_return ready;
  Result<> moved = co_await net::splice_all(from, *this, Fault::Client);
  if (!moved) co_return moved;
  request_done_ = true;
  co_return Result<>{};
}

Task<Result<>> ClientConnection::splice_writable() {
  transport_->want_writable();
  co_await room_.wait();
  if (broken_ || closed_) co_return lost("closed while the request was sent");
  co_return Result<>{};
}

void ClientConnection::spliced(std::uint64_t bytes) {
  request_left_ -= bytes;
  sent_anything_ = true;
}

bool ClientConnection::flush_output() {
  if (closed_ || broken_) return false;
  if (output_.empty()) return true;
  const net::IoResult written = output_.flush(*transport_);
  if (written.status == net::IoStatus::Failed) {
    broken_ = true;
    error_ = written.error;
    // Whoever waits learns it; an answer that came before the reset can still be read.
    input_.mark_readable();
    loop_.at_tick_end(*this);
    return false;
  }
  sent_anything_ = sent_anything_ || written.bytes > 0;
  // The end of a tunnel's direction follows its last bytes.
  if (tunnel_ && request_done_ && output_.empty()) transport_->finish_writing();
  return true;
}

Result<> ClientConnection::lost(std::string_view what) const {
  if (aborted_) return std::unexpected(*aborted_);
  const std::string why = error_ ? fmt::format("{}: {}", what, std::strerror(error_)) : std::string(what);
  return fail(502, Fault::Upstream, fmt::format("server {}: {}", transport_->peer().text(), why),
              !sent_anything_);
}

Result<bool> ClientConnection::take_head(http::ResponseHead& head) {
  for (;;) {
    if (!input_.empty()) {
      received_anything_ = true;
      const std::size_t size = find_head_end(input_.bytes(), scanned_);
      if (size != kNoHead) {
        const std::string_view stored = head.fields.arena().copy(input_.bytes().substr(0, size));
        scanned_ = 0;
        ResponseFacts facts;
        head.clear();
        Result<> parsed = parse_response_head(stored, kResponseLimits, method_, head, &facts);
        if (!parsed) {
          keep_alive_ = false;
          return std::unexpected(std::move(parsed.error()));
        }
        input_.consume(size);
        if (head.status < 200 && head.status != 101) return true;
        response_begun_ = true;
        response_kind_ = facts.body;
        keep_alive_ = facts.keep_alive && head.status != 101;
        begin_body(head, facts.body);
        return true;
      }
      if (input_.bytes().size() > kResponseLimits.max_head_bytes) {
        keep_alive_ = false;
        return fail(502, Fault::Upstream, "the response head is too large");
      }
    }
    switch (input_.fill()) {
      case Input::Fill::Got: continue;
      case Input::Fill::Dry: return false;
      case Input::Fill::End:
        peer_finished_ = true;
        return std::unexpected(lost("closed the connection before a complete response head").error());
      case Input::Fill::Failed:
        broken_ = true;
        error_ = input_.error();
        return std::unexpected(lost("connection lost before a complete response head").error());
    }
  }
}

void ClientConnection::begin_body(const http::ResponseHead& head, BodyKind kind) {
  switch (kind) {
    case BodyKind::Chunked: return body_.begin(kind, 0, &trailers_.emplace(head.fields.arena()));
    case BodyKind::Length: return body_.begin(kind, head.content_length.value_or(0), nullptr);
    case BodyKind::None:
    case BodyKind::UntilClose: return body_.begin(head.status == 101 ? BodyKind::None : kind, 0, nullptr);
  }
}

Task<Result<>> ClientConnection::receive(http::ResponseHead& head, TimePoint deadline) {
  if (closed_) return Task<Result<>>::ready(lost("closed"));
  if (!input_.empty()) {
    Result<bool> here = take_head(head);
    if (!here) return Task<Result<>>::ready(std::unexpected(std::move(here.error())));
    if (*here) return Task<Result<>>::ready(Result<>{});
  }
  if (deadline != TimePoint::max()) timer_.arm(deadline);
  return wait_for_head(head);
}

Task<Result<>> ClientConnection::wait_for_head(http::ResponseHead& head) {
  for (;;) {
    // After sending, the answer is not there yet: wait for the event instead of asking the socket.
    if (!input_.readable() && !broken_ && !timed_out_) {
      const Arena* const exchange = &head.fields.arena();
      co_await head_signal_.wait();
      // All others under way had their turn since. While the kernel hands the answer over, what it goes to
      // comes back into the cache: the frame in which the head lies, seven lines behind its begin, and the
      // exchange, which begins with its arena.
      prefetch(reinterpret_cast<std::uintptr_t>(&head) - 7 * kCacheLine, 19);
      prefetch(exchange, 17);
    }
    if (timed_out_) {
      keep_alive_ = false;
      co_return fail(504, Fault::Upstream,
                     fmt::format("server {}: no response head in time (responseHeaderTimeout)",
                                 transport_->peer().text()));
    }
    if (aborted_) co_return std::unexpected(*aborted_);
    Result<bool> here = take_head(head);
    if (!here) {
      timer_.cancel();
      co_return std::unexpected(std::move(here.error()));
    }
    if (*here) {
      timer_.cancel();
      co_return Result<>{};
    }
    if (broken_) co_return lost("connection lost before the response");
  }
}

http::BodyPtr ClientConnection::body() {
  if (response_kind_ == BodyKind::None || body_.complete()) return nullptr;
  return body_.lease();
}

http::BodyPtr ClientConnection::tunnel_body() {
  tunnel_ = true;
  request_done_ = false;  // the other direction goes on until the client ends it
  body_.begin_tunnel();
  return body_.lease();
}

// What the socket holds where nothing may be. It is taken from there: but for Nothing the connection must
// end.
ClientConnection::Heard ClientConnection::listen() {
  std::array<char, kTimeout11.size()> start;
  const net::IoResult got = transport_->read(start);
  if (got.status == net::IoStatus::WouldBlock) {
    input_.mark_dry();
    return Heard::Nothing;
  }
  if (got.status != net::IoStatus::Ok) return Heard::End;
  const std::string_view bytes(start.data(), got.bytes);
  spoke_unasked_ = bytes != kTimeout11 && bytes != kTimeout10;
  return Heard::Bytes;
}

// Bytes that were here before the request left are no answer to it: one that comes late, or twice, would be
// taken for that of the next client. True when the connection is over.
bool ClientConnection::refuse_unasked() {
  if (listen() != Heard::Bytes) return false;
  abort({502, Fault::Upstream, !sent_anything_,
         fmt::format("server {}: it answered before it was asked", transport_->peer().text())});
  return true;
}

void ClientConnection::on_readable() {
  input_.mark_readable();
  // Nothing was asked: whatever an idle server says cannot be trusted to be an answer.
  if (!leased_) {
    if (listen() != Heard::Nothing || peer_finished_) close_connection();
    return;
  }
  // An event of the tick in which the request leaves is older than the request.
  if ((asked_in_ == loop_.tick() || asked_in_ == 0) && refuse_unasked()) return;
  head_signal_.notify();
  if (leased_) body_.wake();
}

void ClientConnection::on_writable() {
  if (closed_) return;
  if (!flush_output()) return;
  room_.notify();
}

void ClientConnection::on_peer_finished() {
  peer_finished_ = true;
  on_readable();
}

void ClientConnection::on_broken(int error) {
  broken_ = true;
  error_ = error;
  input_.mark_readable();
  if (!leased_) return close_connection();
  room_.notify();
  if (leased_) head_signal_.notify();
  if (leased_) body_.wake();
}

void ClientConnection::on_timer(event::Timer&) {
  timed_out_ = true;
  head_signal_.notify();
}

void ClientConnection::abort(const Error& why) {
  aborted_ = why;
  broken_ = true;
  loop_.at_tick_end(*this);
}

// Not inside a call of the exchange: whoever is woken may let go of the stream, and with it of the coroutine
// that is just calling us.
void ClientConnection::wake_waiters() {
  room_.notify();
  if (leased_) head_signal_.notify();
  if (!leased_) return;
  if (aborted_)
    body_.fail_with(*aborted_);
  else
    body_.wake();
}

void ClientConnection::on_tick_end() {
  if (closed_) return;
  if (broken_) return wake_waiters();
  flush_output();
}

void ClientConnection::close_connection() {
  if (closed_) return;
  closed_ = true;
  timer_.cancel();
  input_.drop();
  output_.clear();
  transport_->close();
  owner_.closed(*this);
}

}  // namespace fairlead::codec::h1
