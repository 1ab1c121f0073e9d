#include "engine/codec/h2/server.h"

#include "engine/codec/h2/frame_batch.h"
#include "engine/codec/h2/server_session.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>

namespace fairlead::codec::h2 {
namespace {

using namespace std::chrono_literals;

constexpr auto kDrainIdle = 1s;  // for requests that are already on their way when we stop
constexpr auto kDrainHead = 5s;  // for the rest of half a head
constexpr auto kRest = 2s;       // without a stream, until memory is given back
constexpr auto kLinger = 1s;     // reading on after our last byte, so that no reset destroys it
constexpr auto kStalled = 60s;   // a client that takes no byte for so long has gone

}  // namespace

ServerConnection::ServerConnection(event::Loop& loop, std::unique_ptr<net::Transport> transport,
                                   std::shared_ptr<const ServerSettings> settings,
                                   http::StreamHandler& handler, ServerOwner& owner)
    : loop_(loop),
      transport_(std::move(transport)),
      settings_(std::move(settings)),
      handler_(handler),
      owner_(owner),
      guard_(settings_->max_concurrent_streams),
      timer_(loop.timers(), *this),
      opened_(loop.now()),
      idle_since_(loop.now()) {
  transport_->set_user(this);
  session_ = new_server_session(*this, *settings_, memory_);
}

ServerConnection::~ServerConnection() {
  end_streams({499, Fault::Client, false, "the connection was closed"});
  loop_.release_receive_buffer(*this);
  nghttp2_session_del(session());
}

nghttp2_session* ServerConnection::session() {
  if (std::exchange(rests_, false)) {
    memory_.wake();
    woken_ = loop_.now();
  }
  return session_;
}

bool ServerConnection::may_rest() const {
  return streams_ == 0 && !rests_ && !draining_ && !said_goodbye_ && output_.empty();
}

void ServerConnection::rest() {
  rests_ = true;
  memory_.rest();
}

void ServerConnection::start() {
  readable_ = true;
  loop_.at_tick_end(*this);
  read_input();
}

// ---- receiving

void ServerConnection::on_readable() {
  readable_ = true;
  switch (state_) {
    case State::Open: return read_input();
    case State::Linger: return drop_input();
    case State::Closed: return;
  }
}

void ServerConnection::on_peer_finished() { on_readable(); }

void ServerConnection::read_input() {
  read_in_ = static_cast<std::uint8_t>(loop_.tick());
  // Who sends faster than we read must not keep the others waiting: the end of the next tick reads on.
  for (bool first = true; state_ == State::Open && readable_ && (first || !loop_.overdue()); first = false) {
    const std::span<char> buffer = loop_.receive_buffer(*this);
    const net::IoResult got = transport_->read(buffer);
    readable_ = !got.drained;
    switch (got.status) {
      case net::IoStatus::WouldBlock: return;
      case net::IoStatus::Ok: take_in({buffer.data(), got.bytes}); continue;
      case net::IoStatus::End: return close_connection();
      case net::IoStatus::Failed: return on_broken(got.error);
    }
  }
  if (readable_ && state_ == State::Open) loop_.at_next_tick_end(*this);
}

void ServerConnection::take_in(std::string_view bytes) {
  const ssize_t taken =
      nghttp2_session_mem_recv(session(), reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size());
  if (taken < 0) {
    const auto error = static_cast<int>(taken);
    if (error == NGHTTP2_ERR_TOO_MANY_CONTINUATIONS) flood_ = Flood::Continuation;
    if (error == NGHTTP2_ERR_FLOODED) flood_ = last_spent_;  // too many of them at once wait for their answer
    if (flood_) return end_flood();
    return end_with(NGHTTP2_PROTOCOL_ERROR,
                    {0, Fault::Client, false, fmt::format("HTTP/2: {}", nghttp2_strerror(error))});
  }
  loop_.at_tick_end(*this);
  start_requests();
  wake_readers();
}

void ServerConnection::drop_input() {
  // Closing over unread bytes would send a reset, and that can destroy what is on its way.
  for (int i = 0; i < 64 && readable_; ++i) {
    const std::span<char> buffer = loop_.receive_buffer(*this);
    const net::IoResult got = transport_->read(buffer);
    readable_ = !got.drained;
    if (got.status == net::IoStatus::WouldBlock) return;
    if (got.status == net::IoStatus::Ok) continue;
    if (got.status == net::IoStatus::Failed || output_.empty()) return close_connection();
    return;
  }
  if (readable_) close_connection();
}

// ---- sending

void ServerConnection::on_writable() {
  if (state_ == State::Closed) return;
  blocked_ = false;
  if (!send_output()) return;
  if (state_ == State::Linger) return finish();
  loop_.at_tick_end(*this);
}

// Frames of nghttp2 into `batch`; false when there are none.
bool ServerConnection::collect(FrameBatch& batch) {
  batch_ = &batch;
  while (!batch.full()) {
    const std::uint8_t* bytes = nullptr;
    const ssize_t size = nghttp2_session_mem_send(session(), &bytes);
    if (size < 0) broken_ = true;
    if (size <= 0) break;
    batch.copy({reinterpret_cast<const char*>(bytes), static_cast<std::size_t>(size)});
  }
  batch_ = nullptr;
  return !batch.empty();
}

// Sends what waits, as far as the peer takes it: nothing is encoded that would only wait. False when the
// connection is broken.
bool ServerConnection::send_output() {
  if (broken_ || state_ == State::Closed) return false;
  if (sending_ || blocked_) return true;
  sending_ = true;
  bool taken = output_.empty();
  for (;;) {
    if (!output_.empty()) {
      const net::IoResult written = output_.flush(*transport_);
      taken |= written.bytes > 0;
      if (written.status == net::IoStatus::Failed) broken_ = true;
      blocked_ = !output_.empty();
      if (broken_ || blocked_) break;
    }
    // Streams that were taken off must not be asked for more.
    if (state_ != State::Open) break;
    FrameBatch& batch = FrameBatch::fresh();
    if (!collect(batch)) break;
    const net::IoResult written = transport_->write(batch.parts());
    if (written.status == net::IoStatus::Failed || written.status == net::IoStatus::End) {
      broken_ = true;
      break;
    }
    std::size_t sent = written.bytes;
    for (const iovec& part : batch.parts()) {
      const std::size_t gone = std::min(sent, part.iov_len);
      output_.append({static_cast<const char*>(part.iov_base) + gone, part.iov_len - gone});
      sent -= gone;
    }
    blocked_ = !output_.empty();
    if (blocked_ || broken_) break;
  }
  sending_ = false;
  if (blocked_ && taken) taken_at_ = loop_.now();
  // Not closed here: this may be inside one of an exchange's own calls.
  if (broken_) loop_.at_tick_end(*this);
  return !broken_;
}

void ServerConnection::on_tick_end() {
  if (state_ == State::Closed) return;
  if (state_ == State::Open) {
    if (readable_ && read_in_ != static_cast<std::uint8_t>(loop_.tick())) read_input();
    wake_readers();
  }
  if (!send_output()) return close_connection();
  wake_writers();
  settle();
  if (readable_ && state_ == State::Open) loop_.at_next_tick_end(*this);
}

// What follows from all that happened in this tick.
void ServerConnection::settle() {
  if (state_ != State::Open) return;
  if (flood_) return end_flood();
  // GOAWAY went, or came, and no stream is left; or the connection has failed.
  if (!nghttp2_session_want_read(session()) && !nghttp2_session_want_write(session())) return linger();
  arm_timer();
}

// ---- time

void ServerConnection::arm_timer() {
  const h1::ServerSettings& common = settings_->common;
  TimePoint due = TimePoint::max();
  if (said_goodbye_) {
    if (streams_ == 0) due = goodbye_by_;
  } else if (open_head_ != 0) {
    if (common.read_timeout > 0s) due = head_begun_ + common.read_timeout;
  } else if (streams_ == 0) {
    const Duration patience = requests_ == 0 ? common.read_timeout : common.idle_timeout;
    if (patience > 0s) due = idle_since_ + patience;
    if (may_rest()) due = std::min(due, std::max(idle_since_, woken_) + kRest);
  }
  if (blocked_) due = std::min(due, taken_at_ + Duration(kStalled));
  if (draining_ && !said_goodbye_) due = std::min(due, drain_begun_ + kDrainIdle);
  if (draining_ && open_head_ != 0) due = std::min(due, std::max(drain_begun_, head_begun_) + kDrainHead);
  // Moved away only: on_timer() looks again at what is due then.
  if (due != TimePoint::max() && (!timer_.armed() || due < timer_.deadline())) timer_.arm(due);
}

void ServerConnection::on_timer(event::Timer&) {
  if (state_ == State::Linger) return close_connection();
  if (state_ != State::Open) return;
  const h1::ServerSettings& common = settings_->common;
  const TimePoint now = loop_.now();
  if (said_goodbye_ && streams_ == 0 && now >= goodbye_by_) return close_connection();
  const auto over = [&](TimePoint since, Duration limit) { return limit > 0s && now - since >= limit; };
  // Not only answers wait then, which have times of their own: heads without a body, and frames about
  // streams.
  if (blocked_ && over(taken_at_, kStalled)) {
    end_streams({499, Fault::Client, false, "the client takes nothing any more"});
    return close_connection();
  }
  if (open_head_ != 0 && (over(head_begun_, common.read_timeout) ||
                          (draining_ && over(std::max(drain_begun_, head_begun_), kDrainHead))))
    return end_with(NGHTTP2_PROTOCOL_ERROR, {408, Fault::Client, false, "the request head took too long"});
  if (draining_ && over(drain_begun_, kDrainIdle)) say_goodbye();
  if (streams_ == 0 && open_head_ == 0 &&
      over(idle_since_, requests_ == 0 ? common.read_timeout : common.idle_timeout))
    say_goodbye();
  if (may_rest() && open_head_ == 0 && over(std::max(idle_since_, woken_), kRest)) rest();
  // Sending would wake it.
  if (rests_) return arm_timer();
  loop_.at_tick_end(*this);
}

void ServerConnection::drain() {
  if (state_ != State::Open || draining_) return;
  draining_ = true;
  drain_begun_ = loop_.now();
  nghttp2_submit_shutdown_notice(session());
  loop_.at_tick_end(*this);
}

void ServerConnection::say_goodbye() {
  if (std::exchange(said_goodbye_, true)) return;
  goodbye_by_ = loop_.now() + kDrainHead;
  nghttp2_submit_goaway(session(), NGHTTP2_FLAG_NONE, nghttp2_session_get_last_proc_stream_id(session_),
                        NGHTTP2_NO_ERROR, nullptr, 0);
}

// ---- the end

// A connection error: GOAWAY, then nothing more.
void ServerConnection::end_with(std::uint32_t code, const Error& why) {
  explained_ = true;
  handler_.refused(why);
  nghttp2_session_terminate_session(session(), code);
  linger();
}

void ServerConnection::end_flood() {
  owner_.flooded(*flood_);
  end_with(NGHTTP2_ENHANCE_YOUR_CALM,
           {0, Fault::Client, false, fmt::format("HTTP/2: a flood of {} frames", text(*flood_))});
}

void ServerConnection::end_streams(const Error& why) {
  while (first_) {
    end_job(*first_, why);
    remove(*first_);
  }
  complete_.clear();
  to_wake_.clear();
}

void ServerConnection::linger() {
  if (state_ != State::Open) return;
  send_output();
  state_ = State::Linger;
  end_streams({499, Fault::Client, false, "the connection was closed"});
  timer_.arm(loop_.now() + kDrainHead);
  finish();
}

void ServerConnection::finish() {
  if (broken_) return close_connection();
  if (!output_.empty() || std::exchange(finished_, true)) return;
  transport_->finish_writing();
  timer_.arm(loop_.now() + kLinger);
  readable_ = true;
  drop_input();
}

void ServerConnection::on_broken(int error) {
  broken_ = true;
  end_streams({499, Fault::Client, false, fmt::format("client: {}", std::strerror(error))});
  close_connection();
}

void ServerConnection::close_connection() {
  if (state_ == State::Closed) return;
  state_ = State::Closed;
  timer_.cancel();
  end_streams({499, Fault::Client, false, "the client closed the connection"});
  output_.clear();
  loop_.release_receive_buffer(*this);
  transport_->close();
  owner_.closed(*this);
}

}  // namespace fairlead::codec::h2
