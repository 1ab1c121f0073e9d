#include "engine/codec/h1/server.h"

#include "engine/base/memory_budget.h"
#include "engine/codec/h1/http_date.h"
#include "engine/codec/h1/request_parser.h"
#include "engine/codec/out_of_memory.h"
#include "engine/codec/too_slow.h"

#include <fmt/format.h>

#include <cstring>

namespace fairlead::codec::h1 {
namespace {

using namespace std::chrono_literals;

constexpr auto kDrainIdle = 1s;   // for a request that is already on its way when we stop
constexpr auto kDrainHead = 5s;   // for the rest of half a head
constexpr auto kLinger = 1s;      // reading on after our last byte, so that no reset destroys it
constexpr auto kHalfClosed = 1s;  // a client that sent FIN and takes no byte for so long has left
constexpr std::size_t kMaxUnread = 64 * 1024;  // of answers; a client with more gets no further request in
constexpr unsigned char kTlsHandshake = 0x16;
constexpr std::string_view kHttp2Preface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

}  // namespace

ServerConnection::ServerConnection(event::Loop& loop, std::unique_ptr<net::Transport> transport,
                                   std::shared_ptr<const ServerSettings> settings,
                                   http::StreamHandler& handler, ServerOwner& owner)
    : loop_(loop),
      transport_(std::move(transport)),
      settings_(std::move(settings)),
      handler_(handler),
      owner_(owner),
      input_(loop, *transport_),
      body_(input_, *transport_, *this, Fault::Client),
      opened_(loop.now()),
      head_begun_(loop.now()),
      timer_(loop.timers(), *this) {
  transport_->set_user(this);
}

ServerConnection::~ServerConnection() {
  if (job_) std::exchange(job_, nullptr)->cancel({499, Fault::Client, false, "the connection was closed"});
}

void ServerConnection::start() {
  // The request often came with the connection: try before waiting.
  input_.mark_readable();
  read_heads();
}

void ServerConnection::drain() {
  draining_ = true;
  if (state_ == State::Head) arm_for_head();
}

void ServerConnection::arm_for_head() {
  TimePoint due = TimePoint::max();
  const bool between = input_.empty() && requests_ > 0;
  if (between) {
    if (settings_->idle_timeout > 0s) due = head_begun_ + settings_->idle_timeout;
  } else if (settings_->read_timeout > 0s) {
    due = head_begun_ + settings_->read_timeout;
  }
  if (draining_) due = std::min(due, loop_.now() + Duration(input_.empty() ? kDrainIdle : kDrainHead));
  if (due == TimePoint::max())
    timer_.cancel();
  else
    timer_.arm(due);
}

void ServerConnection::on_readable() {
  input_.mark_readable();
  switch (state_) {
    case State::Head: return wants_next_ ? void() : read_heads();
    case State::Busy: return body_.wake();
    case State::Linger: return drop_input();
    case State::Closed: return;
  }
}

void ServerConnection::read_heads() {
  for (bool first = true; state_ == State::Head; first = false) {
    if (!input_.empty()) {
      if (!skipped_empty_line_ && scanned_ == 0) {
        if (const std::size_t empty = skip_empty_lines(input_.bytes())) {
          skipped_empty_line_ = true;
          input_.consume(empty);
          continue;
        }
      }
      const std::size_t head_bytes = find_head_end(input_.bytes(), scanned_);
      if (head_bytes != kNoHead) {
        if (!begin_exchange(head_bytes)) return;
        continue;
      }
      const auto first = static_cast<unsigned char>(input_.bytes().front());
      if (first == kTlsHandshake || kHttp2Preface.starts_with(input_.bytes().substr(0, 3)))
        if (first == kTlsHandshake || input_.bytes().size() >= 3) return refuse_foreign_protocol();
      if (Result<> partial = check_partial_head(input_.bytes(), settings_->limits); !partial)
        return refuse(partial.error());
      // Connections that were here before may not go on gathering heads.
      if (MemoryBudget::instance().exhausted()) return refuse(out_of_memory());
    }
    if (!first && input_.readable() && loop_.overdue()) {
      wants_next_ = true;
      return loop_.at_next_tick_end(*this);
    }
    const bool was_empty = input_.empty();
    switch (input_.fill()) {
      case Input::Fill::Got:
        if (was_empty && requests_ > 0) head_begun_ = loop_.now();
        continue;
      case Input::Fill::Dry: input_.trim(); return arm_for_head();
      case Input::Fill::End:
      case Input::Fill::Failed: return close_connection();
    }
  }
}

void ServerConnection::refuse_foreign_protocol() {
  const bool tls = static_cast<unsigned char>(input_.bytes().front()) == kTlsHandshake;
  Error error{tls ? 0 : 505, Fault::Client, false,
              tls ? "a TLS handshake on an entry point without TLS routers"
                  : "the preface of HTTP/2 on a connection that speaks HTTP/1.1"};
  handler_.refused(error);
  if (!tls) {
    output_.append(
        "HTTP/1.1 505 HTTP Version Not Supported\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
    flush_output();
  }
  if (state_ != State::Closed) close_connection();
}

bool ServerConnection::begin_exchange(std::size_t head_bytes) {
  if (MemoryBudget::instance().exhausted()) {
    refuse(out_of_memory());
    return false;
  }
  http::Job& job = handler_.open();
  http::RequestHead& head = job.head();
  const std::string_view stored = head.arena().copy(input_.bytes().substr(0, head_bytes));
  RequestFacts facts;
  Result<> parsed = stored.size() > settings_->limits.max_head_bytes
                        ? Result<>(fail(431, Fault::Client, "the head is larger than maxHeaderBytes"))
                        : parse_request_head(stored, settings_->limits, head, &facts);
  if (!parsed) {
    handler_.discard(job);
    refuse(parsed.error());
    return false;
  }
  input_.consume(head_bytes);
  scanned_ = 0;
  skipped_empty_line_ = false;
  ++requests_;
  job_ = &job;
  state_ = State::Busy;
  http10_ = head.version == http::Version::Http10;
  head_request_ = head.method == "HEAD";
  keep_alive_ = facts.keep_alive;
  expects_continue_ = head.expects_continue;
  head_sent_ = response_done_ = tunnel_ = waits_for_body_ = false;
  pace_.begin(loop_.now());
  last_progress_ = loop_.now();
  response_due_ = settings_->write_timeout > 0s ? loop_.now() + settings_->write_timeout : TimePoint::max();
  if (response_due_ != TimePoint::max()) limit_write(response_due_);
  if (head.chunked)
    body_.begin(BodyKind::Chunked, 0, &trailers_.emplace(head.arena()));
  else if (head.content_length.value_or(0) > 0)
    body_.begin(BodyKind::Length, *head.content_length, nullptr);
  else
    body_.begin(BodyKind::None, 0, nullptr);
  timer_.cancel();
  job.start(*this);
  return state_ == State::Head;
}

// A request that is no request: one short answer, one log line, and the end of the connection.
void ServerConnection::refuse(const Error& error) {
  handler_.refused(error);
  const std::string_view phrase = http::reason_phrase(error.status);
  output_.append(fmt::format(
      "HTTP/1.1 {} {}\r\nContent-Type: text/plain; charset=utf-8\r\nX-Content-Type-Options: nosniff\r\n"
      "Content-Length: {}\r\nDate: {}\r\nConnection: close\r\n\r\n{}\n",
      error.status, phrase, phrase.size() + 1, http_date(loop_), phrase));
  linger();
}

void ServerConnection::linger() {
  if (state_ == State::Closed) return;
  state_ = State::Linger;
  keep_alive_ = false;
  timer_.cancel();
  if (!flush_output()) return;
  if (output_.empty()) finish_and_wait();
  if (state_ == State::Linger) drop_input();
}

void ServerConnection::finish_and_wait() {
  transport_->finish_writing();
  timer_.arm(loop_.now() + kLinger);
}

void ServerConnection::drop_input() {
  // What comes after our last word is read and dropped: closing with unread bytes would send a reset, and
  // that can destroy the answer on its way.
  input_.drop();
  for (int i = 0; i < 64; ++i) {
    switch (input_.fill()) {
      case Input::Fill::Got: input_.drop(); continue;
      case Input::Fill::Dry: return;
      case Input::Fill::End:
        if (output_.empty()) close_connection();
        return;
      case Input::Fill::Failed: return close_connection();
    }
  }
  close_connection();
}

void ServerConnection::exchange_ended() {
  job_ = nullptr;
  if (state_ != State::Busy) return;
  timer_.cancel();
  lift_write_limit();
  if (broken_) return close_connection();
  if (tunnel_) {
    flush_output();
    if (state_ != State::Closed) linger();
    return;
  }
  if (!response_done_) {
    // Cut short: the client must see that this is not all (RFC 9112 §6.3).
    flush_output();
    return close_connection();
  }
  if (!keep_alive_) {
    if (!flush_output()) return;
    if (output_.empty() && body_.complete() && !input_.readable() && input_.empty())
      return close_connection();
    return linger();
  }
  if (!body_.complete() && body_.kind() == BodyKind::Length && body_.left() <= input_.bytes().size()) {
    input_.consume(static_cast<std::size_t>(body_.left()));
    body_.begin(BodyKind::None, 0, nullptr);
  }
  if (!body_.complete()) return linger();
  state_ = State::Head;
  head_begun_ = loop_.now();
  wants_next_ = true;
  loop_.at_tick_end(*this);
}

void ServerConnection::on_tick_end() {
  if (state_ == State::Closed) return;
  if (!flush_output()) return;
  if (state_ != State::Head) wants_next_ = false;
  // Answers without a body do not wait for room: who only asks and never reads is stopped here.
  if (!wants_next_ || output_.size() > kMaxUnread) return;
  wants_next_ = false;
  if (input_.empty() && !input_.readable()) {
    input_.trim();
    if (peer_finished_) return close_connection();
    return arm_for_head();
  }
  // Answers of our own come at once: who pipelines without end would keep the tick from ending.
  if (loop_.end_overdue()) {
    wants_next_ = true;
    return loop_.at_next_tick_end(*this);
  }
  read_heads();
}

void ServerConnection::on_peer_finished() {
  peer_finished_ = true;
  input_.mark_readable();
  switch (state_) {
    case State::Head: return wants_next_ ? void() : read_heads();
    case State::Busy:
      body_.wake();
      // The client may only have finished sending (RFC 9112 §9.6): it has left when it takes no byte for a
      // while.
      if (state_ == State::Busy && !tunnel_ && body_.complete()) timer_.arm(loop_.now() + kHalfClosed);
      return;
    case State::Linger: return drop_input();
    case State::Closed: return;
  }
}

void ServerConnection::on_broken(int error) {
  broken_ = true;
  if (state_ == State::Busy)
    cancel_job({499, Fault::Client, false, fmt::format("client: {}", std::strerror(error))});
  close_connection();
}

void ServerConnection::cancel_job(const Error& why) {
  if (http::Job* job = std::exchange(job_, nullptr)) job->cancel(why);
}

void ServerConnection::on_writable() {
  if (state_ == State::Closed) return;
  note_progress();
  if (!flush_output()) return;
  if (state_ == State::Linger && output_.empty() && !timer_.armed()) finish_and_wait();
  if (wants_next_) loop_.at_tick_end(*this);
  room_.notify();
}

void ServerConnection::on_timer(event::Timer& timer) {
  const bool writing = &timer == write_timer_.get();
  switch (state_) {
    case State::Closed: return;
    case State::Linger: return close_connection();
    case State::Head:
      if (writing) return wants_next_ ? close_connection() : void();
      // Half a head gets an answer; silence does not.
      if (!input_.empty()) return refuse({408, Fault::Client, false, "the request head took too long"});
      return close_connection();
    case State::Busy: break;
  }
  if (writing) {
    cancel_job(too_slow(response_due_ != TimePoint::max()));
    return close_connection();
  }
  if (waits_for_body_) {
    if (!body_.has_waiter()) return;  // whoever waited is gone: a try that another one follows
    keep_alive_ = false;
    return body_.fail_with({408, Fault::Client, false, "the request body came too slowly (readTimeout)"});
  }
  if (peer_finished_) {
    if (loop_.now() - last_progress_ < Duration(kHalfClosed)) return timer_.arm(last_progress_ + kHalfClosed);
    cancel_job({499, Fault::Client, false, "the client closed the connection"});
    return close_connection();
  }
}

void ServerConnection::body_waits(bool waits) {
  waits_for_body_ = waits;
  if (tunnel_) return;
  if (!waits) {
    pace_.wait_ends(loop_.now());
    timer_.cancel();
    last_progress_ = loop_.now();
    return;
  }
  const TimePoint due = pace_.wait_begins(loop_.now(), settings_->read_timeout, settings_->read_timeout_whole,
                                          body_.received());
  if (due != TimePoint::max()) timer_.arm(due);
}

void ServerConnection::body_wanted() {
  if (!std::exchange(expects_continue_, false) || head_sent_ || !input_.empty()) return;
  output_.append("HTTP/1.1 100 Continue\r\n\r\n");
  loop_.at_tick_end(*this);
}

void ServerConnection::body_complete() {
  if (state_ == State::Busy && peer_finished_ && !tunnel_) timer_.arm(loop_.now() + kHalfClosed);
}

http::BodyPtr ServerConnection::body() {
  if (body_.kind() == BodyKind::None || body_.leased()) return nullptr;
  return body_.lease();
}

void ServerConnection::close_connection() {
  if (state_ == State::Closed) return;
  state_ = State::Closed;
  timer_.cancel();
  lift_write_limit();
  cancel_job({499, Fault::Client, false, "the connection was closed"});
  input_.drop();
  output_.clear();
  // An HTTP/1.0 client takes the end of the connection for the end of the body: only a reset tells it that
  // this is not all.
  const bool cut_short = head_sent_ && !response_done_ && !tunnel_ && framing_ == BodyFraming::UntilClose;
  if (cut_short)
    transport_->abort();
  else
    transport_->close();
  owner_.closed(*this);
}

}  // namespace fairlead::codec::h1
