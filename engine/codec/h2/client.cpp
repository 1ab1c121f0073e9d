#include "engine/codec/h2/client.h"

#include "engine/codec/h2/client_head.h"
#include "engine/codec/h2/client_session.h"

#include <fmt/format.h>
#include <nghttp2/nghttp2.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <cstring>

namespace fairlead::codec::h2 {
namespace {

constexpr std::size_t kMaxStreams = 250;        // of ours on one connection; with more, another is opened
constexpr std::size_t kMaxOutput = 256 * 1024;  // that waits for the socket; the rest waits in the streams
// Of a body, from which on its window is wide: more than is taken for a client that never reads.
constexpr std::uint64_t kWideFrom = 128 * 1024;
constexpr int kReadsInARow = 32;                // then other connections have their turn
constexpr std::uint32_t kMaxOverhead = 10'000;  // frames per second that carry nothing
constexpr auto kLogPause = std::chrono::seconds(1);
constexpr std::int32_t kLastStreamId = 0x7ffffff0;

}  // namespace

ClientConnection::ClientConnection(event::Loop& loop, std::unique_ptr<net::Transport> transport,
                                   ClientOwner& owner, ClientSettings settings)
    : loop_(loop),
      transport_(std::move(transport)),
      owner_(&owner),
      settings_(settings),
      session_(open_client_session(*this)),
      block_(std::make_unique<RequestBlock>()),
      read_on_(loop.timers(), *this),
      health_(loop.timers(), *this),
      last_read_(loop.now()) {
  transport_->set_user(this);
  if (settings_.read_idle_timeout > Duration{}) health_.arm(last_read_ + settings_.read_idle_timeout);
  flush_later();
}

ClientConnection::~ClientConnection() { nghttp2_session_del(session_); }

std::size_t ClientConnection::allowed() const {
  if (!settings_here_) return std::min(settings_.assumed_streams, kMaxStreams);
  return std::min<std::size_t>(
      nghttp2_session_get_remote_settings(session_, NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS), kMaxStreams);
}

std::size_t ClientConnection::capacity() const {
  return usable() ? allowed() - std::min(allowed(), leased_) : 0;
}

http::ClientStreamPtr ClientConnection::lease() {
  ++leased_;
  return http::ClientStreamPtr(new LeasedStream(*this, loop_, leases_++ > 0));
}

void ClientConnection::retire() {
  retired_ = true;
  if (leased_ == 0) settle();
}

void ClientConnection::detach() {
  owner_ = nullptr;
  retire();
}

Result<> ClientConnection::submit(LeasedStream& stream, const http::RequestHead& head, std::string_view host,
                                  std::optional<std::uint64_t> length, bool last) {
  // Retirement alone does not stop a stream that was leased before.
  if (broken_ || going_away_)
    return fail(502, Fault::Upstream,
                fmt::format("server {}: closed before the request was sent", transport_->peer().text()),
                true);
  if (Result<> filled = block_->fill(head, settings_.secure ? "https" : "http", host, length); !filled)
    return filled;
  const std::int32_t id = submit_request(session_, *block_, !last);
  if (id < 0)
    return fail(502, Fault::Upstream, fmt::format("server {}: {}", peer(), nghttp2_strerror(id)), true);
  if (id >= kLastStreamId) retired_ = true;
  stream.id_ = id;
  streams_.emplace(id, &stream);
  flush_later();
  return {};
}

void ClientConnection::resume(const LeasedStream& stream) {
  if (!broken_ && stream.id_) nghttp2_session_resume_data(session_, stream.id_);
}

void ClientConnection::consumed(LeasedStream& stream, std::size_t bytes) {
  if (broken_) return;
  // For a stream that has ended this credits the connection alone.
  if (stream.closed_) {
    nghttp2_session_consume_connection(session_, bytes);
  } else {
    nghttp2_session_consume(session_, stream.id_, bytes);
    if (!stream.wide_ && stream.body_.taken() >= kWideFrom) {
      stream.wide_ = true;
      widen_window(session_, stream.id_);
    }
  }
  if (nghttp2_session_want_write(session_)) flush_later();
}

void ClientConnection::cancel(LeasedStream& stream) {
  if (broken_ || stream.closed_ || !stream.id_) return;
  nghttp2_submit_rst_stream(session_, NGHTTP2_FLAG_NONE, stream.id_, NGHTTP2_CANCEL);
  stream.closed_ = true;
  flush_later();
}

void ClientConnection::give_back(LeasedStream& stream) {
  if (stream.to_wake_) {
    LeasedStream** at = &first_to_wake_;
    LeasedStream* before = nullptr;
    for (; *at != &stream; at = &(*at)->next_to_wake_) before = *at;
    *at = stream.next_to_wake_;
    if (last_to_wake_ == &stream) last_to_wake_ = before;
    --to_wake_;
  }
  if (stream.id_) {
    streams_.erase(stream.id_);
    cancel(stream);
    const std::size_t unread = stream.body_.unread();
    if (!broken_ && unread > 0) {
      nghttp2_session_consume_connection(session_, unread);
      flush_later();
    }
  }
  loop_.destroy_later(std::unique_ptr<event::Destroyable>(&stream));
  if (--leased_ == 0) settle();
}

void ClientConnection::settle() {
  if (over_) return;
  if (!usable()) {
    // What waits, a RST_STREAM for one, leaves first.
    if (!broken_) {
      violation_.clear();  // of an answer before: this end is ours
      nghttp2_session_terminate_session(session_, NGHTTP2_NO_ERROR);
      flush();
    }
    close_transport();
    over_ = true;
    if (owner_)
      owner_->closed(*this);
    else
      loop_.destroy_later(std::unique_ptr<event::Destroyable>(this));
  } else {
    owner_->idle(*this);
  }
}

void ClientConnection::close_transport() {
  if (std::exchange(broken_, true)) return;
  read_on_.cancel();
  health_.cancel();
  output_.clear();
  transport_->close();
}

LeasedStream* ClientConnection::find(std::int32_t id) {
  const auto found = streams_.find(id);
  return found == streams_.end() ? nullptr : found->second;
}

void ClientConnection::wake_later(LeasedStream& stream) {
  if (!std::exchange(stream.to_wake_, true)) {
    stream.next_to_wake_ = nullptr;
    (last_to_wake_ ? last_to_wake_->next_to_wake_ : first_to_wake_) = &stream;
    last_to_wake_ = &stream;
    ++to_wake_;
  }
  flush_later();
}

void ClientConnection::wake() {
  // Those that are marked meanwhile have their turn when the tick ends.
  for (std::size_t turns = to_wake_; turns > 0 && first_to_wake_; --turns) {
    LeasedStream* stream = first_to_wake_;
    first_to_wake_ = stream->next_to_wake_;
    if (!first_to_wake_) last_to_wake_ = nullptr;
    --to_wake_;
    stream->to_wake_ = false;
    stream->wake();
  }
}

bool ClientConnection::count_overhead() {
  if (loop_.now() - overhead_since_ >= std::chrono::seconds(1)) {
    overhead_since_ = loop_.now();
    overhead_frames_ = 0;
  }
  return ++overhead_frames_ <= kMaxOverhead;
}

void ClientConnection::read_all() {
  for (int reads = 0; readable_ && !broken_; ++reads) {
    if (reads == kReadsInARow) {
      read_on_.arm(loop_.now());
      break;
    }
    const std::span<char> buffer = loop_.receive_buffer(*this);
    const net::IoResult got = transport_->read(buffer);
    readable_ = !got.drained;
    switch (got.status) {
      case net::IoStatus::Ok: take_in({buffer.data(), got.bytes}); break;
      case net::IoStatus::WouldBlock: readable_ = false; break;
      case net::IoStatus::End: break_off("the server closed the connection"); break;
      case net::IoStatus::Failed: break_off(std::strerror(got.error)); break;
    }
  }
  loop_.release_receive_buffer(*this);
}

void ClientConnection::take_in(std::string_view bytes) {
  last_read_ = loop_.now();
  ping_waits_ = false;
  violation_.clear();
  const bool first = !std::exchange(heard_, true);
  if (first && bytes.starts_with("HTTP/1.")) {
    break_off("the server answers in HTTP/1.1: its URL must begin with http:// instead of h2c://");
    return;
  }
  const ssize_t taken =
      nghttp2_session_mem_recv(session_, reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size());
  if (taken < 0) {
    break_off_violated(nghttp2_strerror(static_cast<int>(taken)));
    return;
  }
}

void ClientConnection::on_readable() {
  if (broken_) return;
  readable_ = true;
  read_all();
  wake();
  // Answers of the session itself leave when the tick ends; so does a connection that is over.
  flush_later();
}

void ClientConnection::on_writable() {
  if (broken_) return;
  flush();
  wake();
}

void ClientConnection::on_broken(int error) {
  if (broken_) return;
  lose(error);
  wake();
}

// Answers that came before a reset count. Reading on, in turns, finds the reset behind them.
void ClientConnection::lose(int error) {
  readable_ = true;
  read_all();
  if (!broken_ && !read_on_.armed()) break_off(std::strerror(error));
}

void ClientConnection::on_timer(event::Timer& timer) {
  if (&timer == &health_) return check_health();
  on_readable();
}

void ClientConnection::check_health() {
  if (broken_) return;
  if (std::exchange(ping_waits_, false)) {
    break_off("the server did not answer a PING within pingTimeout");
    return wake();
  }
  const TimePoint due = last_read_ + settings_.read_idle_timeout;
  if (loop_.now() < due) return health_.arm(due);
  ping_waits_ = true;
  nghttp2_submit_ping(session_, NGHTTP2_FLAG_NONE, nullptr);
  health_.arm(loop_.now() + settings_.ping_timeout);
  flush_later();
}

// Frames from the session into the output, as long as the socket keeps up.
bool ClientConnection::pump() {
  while (output_.size() < kMaxOutput) {
    const std::uint8_t* bytes = nullptr;
    const ssize_t size = nghttp2_session_mem_send(session_, &bytes);
    if (size < 0) {
      break_off(nghttp2_strerror(static_cast<int>(size)));
      return false;
    }
    if (size == 0) break;
    output_.append({reinterpret_cast<const char*>(bytes), static_cast<std::size_t>(size)});
    appended_ += static_cast<std::uint64_t>(size);
  }
  return true;
}

void ClientConnection::flush() {
  while (!broken_ && pump() && !output_.empty()) {
    const net::IoResult written = output_.flush(*transport_);
    written_ += written.bytes;
    if (written.status == net::IoStatus::Failed) return lose(written.error);
    if (!output_.empty()) break;
  }
  // After a mistake of the server its GOAWAY is on its way, and nothing is read any more.
  if (!broken_ && !nghttp2_session_want_read(session_)) break_off_violated("the server ended the connection");
}

void ClientConnection::on_tick_end() {
  wake();
  if (!broken_) flush();
  if (first_to_wake_) flush_later();
  if (!usable() && leased_ == 0) settle();
}

void ClientConnection::break_off_violated(std::string_view otherwise) {
  if (violation_.empty()) return break_off(std::string(otherwise));
  // A server that goes on like this must not fill the log.
  thread_local TimePoint next{};
  if (loop_.now() >= next) {
    next = loop_.now() + kLogPause;
    spdlog::warn("server {} broke HTTP/2, its connection is closed: {}", peer(), violation_);
  }
  break_off(violation_);
}

void ClientConnection::break_off(std::string why) {
  if (broken_) return;
  const std::string detail = fmt::format("server {}: {}", transport_->peer().text(), why);
  for (const auto& [id, stream] : streams_) {
    stream->fail_with({502, Fault::Upstream, !stream->sent_anything(), detail});
    stream->closed_ = true;
  }
  close_transport();
  flush_later();
}

}  // namespace fairlead::codec::h2
