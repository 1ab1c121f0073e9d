#include "engine/base/memory_budget.h"
#include "engine/codec/h1/http_date.h"
#include "engine/codec/h2/response_block.h"
#include "engine/codec/h2/server.h"
#include "engine/codec/h2/server_session.h"
#include "engine/codec/out_of_memory.h"

#include <fmt/format.h>

#include <algorithm>

namespace fairlead::codec::h2 {
namespace {

using namespace std::chrono_literals;

// Of the heads of all requests in flight on one connection, as multiples of the longest allowed one.
constexpr std::size_t kHeadsAtOnce = 4;

// What a head may be made of: fields that HPACK sent as literals (Huffman coding halves them at most), each
// entry of its two tables once, and 32 bytes counted on top of each. One entry named again and again makes
// megabytes of a few hundred bytes.
constexpr std::size_t kFewFields = 8 * 1024;
constexpr std::size_t kMostPerByte = 16;

// After the answer the rest of a request is still taken for so long, and so much of it: a client that is busy
// sending may take the reset for a failure, without a look at the answer before it (curl 7 does).
constexpr auto kUnwantedTime = 1s;
constexpr std::uint32_t kUnwantedBytes = 1024 * 1024;

std::uint32_t code_of(StreamError error) {
  switch (error) {
    case StreamError::None: return NGHTTP2_NO_ERROR;
    case StreamError::Protocol: return NGHTTP2_PROTOCOL_ERROR;
    case StreamError::Internal: return NGHTTP2_INTERNAL_ERROR;
    case StreamError::FrameSize: return NGHTTP2_FRAME_SIZE_ERROR;
    case StreamError::Refused: return NGHTTP2_REFUSED_STREAM;
    case StreamError::Cancel: return NGHTTP2_CANCEL;
    case StreamError::Calm: return NGHTTP2_ENHANCE_YOUR_CALM;
  }
  return NGHTTP2_INTERNAL_ERROR;
}

}  // namespace

// ---- frames

bool ServerConnection::spend(Flood kind) { return note_spent(kind, guard_.spend(kind, loop_.now())); }

bool ServerConnection::note_spent(Flood kind, bool was_left) {
  last_spent_ = kind;
  if (!flood_ && !was_left) flood_ = kind;
  return !flood_;
}

bool ServerConnection::spend_reset(std::int32_t id) {
  const auto* of = static_cast<const ServerStream*>(nghttp2_session_get_stream_user_data(session_, id));
  if (!of || !of->answer_begun_) return spend(Flood::Reset);
  return note_spent(Flood::Reset, guard_.spend_late_reset(loop_.now()));
}

bool ServerConnection::admit_frame(std::uint8_t type, std::uint8_t flags, std::size_t length,
                                   std::int32_t id) {
  if (type != NGHTTP2_CONTINUATION) open_head_ = head_frames_ = 0;
  switch (type) {
    case NGHTTP2_DATA: return length > 0 || (flags & NGHTTP2_FLAG_END_STREAM) != 0 || spend(Flood::EmptyData);
    case NGHTTP2_HEADERS: head_frames_ = static_cast<std::uint32_t>(length); return true;
    case NGHTTP2_PUSH_PROMISE:
    case NGHTTP2_GOAWAY: return true;
    case NGHTTP2_CONTINUATION:
      head_frames_ += static_cast<std::uint32_t>(length);
      return spend(Flood::Continuation);
    case NGHTTP2_RST_STREAM: return spend_reset(id);
    case NGHTTP2_SETTINGS: return (flags & NGHTTP2_FLAG_ACK) != 0 || spend(Flood::Settings);
    case NGHTTP2_PING: return (flags & NGHTTP2_FLAG_ACK) != 0 || spend(Flood::Ping);
    case NGHTTP2_WINDOW_UPDATE: return spend(Flood::WindowUpdate);
    case NGHTTP2_PRIORITY:
      // nghttp2 skips these frames without a look, as RFC 7540 priorities are off.
      if (id == 0)
        nghttp2_session_terminate_session(session_, NGHTTP2_PROTOCOL_ERROR);
      else if (length != 5 && nghttp2_session_find_stream(session_, id))
        nghttp2_submit_rst_stream(session_, NGHTTP2_FLAG_NONE, id, NGHTTP2_FRAME_SIZE_ERROR);
      else if (length != 5)
        nghttp2_session_terminate_session(session_, NGHTTP2_FRAME_SIZE_ERROR);
      return spend(Flood::Priority);
    default: return true;  // nghttp2 skips what it does not know, and does not tell
  }
}

// ---- requests

bool ServerConnection::begin_request(std::int32_t id) {
  auto* stream = new ServerStream(*this, id, handler_.open());
  stream->next_ = first_;
  if (first_) first_->previous_ = stream;
  first_ = stream;
  ++streams_;
  open_head_ = id;
  head_begun_ = loop_.now();
  decoding_ = stream;
  nghttp2_session_set_stream_user_data(session_, id, stream);
  // All streams get their turn, whatever order their client would like best.
  const nghttp2_extpri turns{NGHTTP2_EXTPRI_DEFAULT_URGENCY, 1};
  nghttp2_session_change_extpri_stream_priority(session_, id, &turns, 1);
  if (MemoryBudget::instance().exhausted())
    stream->refusal_ = out_of_memory();
  else if (head_bytes_ > kHeadsAtOnce * settings_->common.limits.max_head_bytes)
    stream->refusal_ =
        Error{503, Fault::Client, false, "HTTP/2: the requests in flight have too many fields"};
  return true;
}

void ServerConnection::begin_trailers(ServerStream& stream) {
  decoding_ = &stream;
  open_head_ = stream.id_;
  head_begun_ = loop_.now();
  // Nobody is left to read them: they are only decoded.
  if (!stream.job_) return;
  stream.trailer_fields_.emplace(stream.trailers_.emplace(stream.job_->head().arena()));
}

bool ServerConnection::take_field(ServerStream& stream, bool trailer, std::string_view name,
                                  std::string_view value) {
  if (trailer) {
    if (!stream.trailer_fields_) return true;
    const Result<> taken = stream.trailer_fields_->add(name, value);
    return taken || refuse_field(stream, taken.error());
  }
  if (stream.refusal_) {
    // Decoded for the sake of the table they change, but not without end: a few bytes can stand for megabytes
    // (CVE-2016-6581).
    stream.dropped_ += name.size() + value.size() + 32;
    if (name == ":method") stream.head_request_ = value == "HEAD";
    if (stream.dropped_ <= settings_->common.limits.max_head_bytes) return true;
    return refuse_field(stream, {400, Fault::Client, false, "HTTP/2: a header section without end"});
  }
  if (!stream.fields_) return true;
  const Result<> taken = stream.fields_->add(name, value);
  if (taken) {
    const std::size_t honest = kFewFields + settings_->decoder_table + kMostPerByte * head_frames_;
    const std::size_t bytes = stream.fields_->bytes();
    if (bytes > honest)
      stream.refusal_ = Error{431, Fault::Client, false, "HTTP/2: a head of one field over and over"};
    // Connections that were here before may not go on gathering heads.
    else if (bytes > kFewFields && MemoryBudget::instance().exhausted())
      stream.refusal_ = out_of_memory();
    return true;
  }
  if (taken.error().status == 400) return refuse_field(stream, taken.error());
  stream.refusal_ = taken.error();
  return true;
}

// Malformed (RFC 9113 §8.1.1): the rest of the section is decoded and dropped.
bool ServerConnection::refuse_field(ServerStream& stream, const Error& error) {
  handler_.refused(error);
  reset_stream(stream, StreamError::Protocol);
  end_job(stream, error);
  return false;
}

void ServerConnection::request_complete(ServerStream& stream, bool ends) {
  open_head_ = 0;
  stream.ended_in_ = ends;
  if (!stream.job_ || !stream.fields_) return;
  if (!stream.refusal_) {
    if (const Result<> finished = stream.fields_->finish(ends); !finished) {
      if (finished.error().status == 400) {
        refuse_field(stream, finished.error());
        return;
      }
      stream.refusal_ = finished.error();
    }
  }
  stream.head_bytes_ = stream.fields_->bytes();
  head_bytes_ += stream.head_bytes_;
  stream.fields_.reset();
  http::RequestHead& head = stream.job_->head();
  if (head.method == "HEAD") stream.head_request_ = true;
  if (stream.refusal_) return refuse(stream, *stream.refusal_);
  stream.has_body_ = head.has_body();
  stream.discards_ = !stream.has_body_ && head.upgrade.empty();
  stream.expects_continue_ = head.expects_continue;
  complete_.push_back(&stream);
}

// An answer without an exchange: what was asked for will not be looked at.
void ServerConnection::refuse(ServerStream& stream, const Error& error) {
  handler_.refused(error);
  // A head that is too long costs more to decode than to send.
  if (error.fault == Fault::Client) (void)spend(Flood::Reset);
  end_job(stream, error);
  Arena arena(256);
  http::ResponseHead head(arena);
  head.status = error.status;
  head.fields.append("Content-Type", "text/plain; charset=utf-8", http::Name::ContentType);
  head.fields.append("X-Content-Type-Options", "nosniff", http::Name::Other);
  const std::string_view phrase = http::reason_phrase(error.status);
  ResponseBlock& block = ResponseBlock::of_thread();
  if (!block.fill(head, error.status, phrase.size() + 1, h1::http_date(loop_))) return;
  stream.head_sent_ = stream.response_done_ = stream.ended_out_ = true;
  if (!stream.head_request_) {
    stream.out_.append(phrase);
    stream.out_.append("\n");
    held_out_ += stream.out_.size();
  }
  submit_head(stream, block, stream.head_request_);
  if (stream.unsent() > 0) stream.expect_progress();
}

void ServerConnection::start_requests() {
  // Exchanges that begin may end others, but none is destroyed before the tick ends.
  for (std::size_t i = 0; i < complete_.size(); ++i)
    if (complete_[i]->job_ && !complete_[i]->is_over()) begin_exchange(*complete_[i]);
  complete_.clear();
}

void ServerConnection::begin_exchange(ServerStream& stream) {
  const h1::ServerSettings& common = settings_->common;
  ++requests_;
  // RFC 9113 §6.8: the client takes its further requests elsewhere.
  if ((common.keep_alive_max_requests > 0 &&
       requests_ >= static_cast<std::uint32_t>(common.keep_alive_max_requests)) ||
      (common.keep_alive_max_time > 0s && loop_.now() - opened_ >= common.keep_alive_max_time))
    drain();
  stream.pace_.begin(loop_.now());
  stream.last_progress_ = loop_.now();
  if (common.write_timeout > 0s) {
    stream.response_due_ = loop_.now() + common.write_timeout;
    stream.write_timer_.arm(stream.response_due_);
  }
  stream.started_ = true;
  stream.job_->start(stream);
}

// ---- bodies

void ServerConnection::take_data(ServerStream* stream, std::int32_t id, std::string_view bytes) {
  guard_.carried(bytes.size());
  if (stream && stream->answered_ && stream->unwanted_ <= kUnwantedBytes) {
    stream->unwanted_ += static_cast<std::uint32_t>(bytes.size());
    if (stream->unwanted_ > kUnwantedBytes) reset_stream(*stream, StreamError::None);
  }
  if (!stream || stream->discards_ || !stream->job_) {
    nghttp2_session_consume(session_, id, bytes.size());
    return;
  }
  stream->in_.append(bytes);
  wake_reader(*stream);
}

void ServerConnection::body_ended(ServerStream& stream) {
  open_head_ = 0;
  stream.ended_in_ = true;
  stream.trailer_fields_.reset();
  wake_reader(stream);
}

void ServerConnection::consumed(ServerStream& stream, std::size_t bytes) {
  if (stream.is_over()) return;
  nghttp2_session_consume(session_, stream.id_, bytes);
  loop_.at_tick_end(*this);
}

void ServerConnection::discard_body(ServerStream& stream) {
  stream.discards_ = true;
  if (const std::size_t waits = stream.in_.size(); waits > 0 && !stream.closed_)
    nghttp2_session_consume_connection(session_, waits);
  stream.in_.drop();
}

void ServerConnection::wake_reader(ServerStream& stream) {
  if (std::exchange(stream.to_wake_, true)) return;
  to_wake_.push_back(&stream);
  loop_.at_tick_end(*this);
}

void ServerConnection::wake_readers() {
  // Readers that wake may have others woken; none of them is destroyed before the tick ends.
  for (std::size_t i = 0; i < to_wake_.size(); ++i) {
    ServerStream& stream = *to_wake_[i];
    stream.to_wake_ = false;
    if (stream.job_) stream.readable_.notify();
  }
  to_wake_.clear();
}

// ---- answers

void ServerConnection::submit_head(ServerStream& stream, const ResponseBlock& block, bool ends) {
  const nghttp2_data_provider body = body_of(&stream);
  nghttp2_submit_response(session_, stream.id_, block.data(), block.size(), ends ? nullptr : &body);
  loop_.at_tick_end(*this);
}

bool ServerConnection::submit_interim(ServerStream& stream, const http::ResponseHead& head) {
  ResponseBlock& block = ResponseBlock::of_thread();
  if (!block.fill(head, head.status, std::nullopt, {})) return false;
  nghttp2_submit_headers(session_, NGHTTP2_FLAG_NONE, stream.id_, nullptr, block.data(), block.size(),
                         nullptr);
  loop_.at_tick_end(*this);
  return true;
}

void ServerConnection::resume(ServerStream& stream) {
  if (std::exchange(stream.deferred_, false)) nghttp2_session_resume_data(session_, stream.id_);
}

void ServerConnection::send_now(ServerStream& stream) {
  resume(stream);
  send_output();
  loop_.at_tick_end(*this);
}

void ServerConnection::send_later(ServerStream& stream) {
  if (stream.unsent() > 0 || stream.ended_out_) resume(stream);
  loop_.at_tick_end(*this);
}

std::size_t ServerConnection::window_of(const ServerStream& stream) const {
  if (!output_.empty()) return 0;
  const std::int32_t window = std::min(nghttp2_session_get_stream_remote_window_size(session_, stream.id_),
                                       nghttp2_session_get_remote_window_size(session_));
  return window > 0 ? static_cast<std::size_t>(window) : 0;
}

void ServerConnection::wake_writers() {
  if (waiting_writers_ == 0) return;
  std::vector<ServerStream*> writers;
  for (ServerStream* stream = first_; stream; stream = stream->next_)
    if (stream->room_.has_waiter() && stream->job_) writers.push_back(stream);
  for (ServerStream* stream : writers)
    if (stream->job_ && !stream->is_over()) stream->room_.notify();
}

void ServerConnection::reset_stream(ServerStream& stream, StreamError error) {
  if (stream.closed_) return;
  nghttp2_submit_rst_stream(session_, NGHTTP2_FLAG_NONE, stream.id_, code_of(error));
  loop_.at_tick_end(*this);
}

// END_STREAM has left.
void ServerConnection::answer_ended(ServerStream& stream) {
  stream.answered_ = true;
  stream.write_timer_.cancel();
  if (stream.started_) guard_.answered();
  // RFC 9113 §8.1: the rest of the request is not wanted any more; NO_ERROR says so when the time is over.
  if (nghttp2_session_get_stream_remote_close(session_, stream.id_) == 0)
    stream.write_timer_.arm(loop_.now() + kUnwantedTime);
}

// ---- the end of a stream

// The client broke a rule on it; nghttp2 resets it.
void ServerConnection::stream_broken(ServerStream& stream, std::string_view why) {
  const std::string violation = std::exchange(violation_, {});
  if (!stream.job_) return;  // it had its answer
  const Error error{400, Fault::Client, false,
                    fmt::format("HTTP/2: {}", violation.empty() ? why : std::string_view(violation))};
  handler_.refused(error);
  stream.failed_ = error;
  end_job(stream, error);
}

void ServerConnection::stream_closed(ServerStream& stream) {
  if (!stream.discards_) discard_body(stream);
  if (open_head_ == stream.id_) open_head_ = 0;
  stream.closed_ = true;
  // A job that has given its whole answer ends by itself.
  if (stream.job_ && stream.started_ && stream.response_done_) return;
  end_job(stream, {499, Fault::Client, false, "the client reset the stream"});
  remove(stream);
}

void ServerConnection::abandon(ServerStream& stream, const Error& why) {
  reset_stream(stream, StreamError::Cancel);
  end_job(stream, why);
}

void ServerConnection::exchange_ended(http::ServerStream& ended) {
  auto& stream = static_cast<ServerStream&>(ended);
  stream.job_ = nullptr;
  stream.trailers_.reset();
  stream.trailer_fields_.reset();
  stream.body_timer_.cancel();
  if (stream.over_) return;
  if (stream.closed_) return remove(stream);
  discard_body(stream);
  if (stream.tunnel_ && !stream.our_reset_) {
    stream.response_done_ = stream.ended_out_ = true;
    resume(stream);
  } else if (!stream.response_done_ && !stream.our_reset_) {
    // Cut short: the client must see that this is not all.
    stream.our_reset_ = true;
    reset_stream(stream, StreamError::Internal);
  }
  if (stream.unsent() > 0) stream.expect_progress();
  loop_.at_tick_end(*this);
}

void ServerConnection::end_job(ServerStream& stream, const Error& why) {
  http::Job* job = std::exchange(stream.job_, nullptr);
  if (!job) return;
  // Fields of the request live in its arena.
  stream.fields_.reset();
  stream.trailer_fields_.reset();
  stream.body_timer_.cancel();
  if (stream.started_)
    job->cancel(why);
  else
    handler_.discard(*job);
}

void ServerConnection::remove(ServerStream& stream) {
  if (std::exchange(stream.over_, true)) return;
  nghttp2_session_set_stream_user_data(session_, stream.id_, nullptr);
  (stream.previous_ ? stream.previous_->next_ : first_) = stream.next_;
  if (stream.next_) stream.next_->previous_ = stream.previous_;
  stream.next_ = stream.previous_ = nullptr;
  if (decoding_ == &stream) decoding_ = nullptr;
  if (--streams_ == 0) idle_since_ = loop_.now();
  held_out_ -= stream.out_.size();
  head_bytes_ -= stream.head_bytes_;
  stream.body_timer_.cancel();
  stream.write_timer_.cancel();
  loop_.destroy_later(std::unique_ptr<event::Destroyable>(&stream));
}

}  // namespace fairlead::codec::h2
