#include "engine/codec/h2/client_session.h"

#include "engine/base/strings.h"
#include "engine/codec/h2/client.h"
#include "engine/codec/h2/client_head.h"
#include "engine/codec/h2/violation.h"
#include "engine/http/field_names.h"

#include <fmt/format.h>
#include <nghttp2/nghttp2.h>

#include <array>
#include <cstring>

namespace fairlead::codec::h2 {
namespace {

// What one stream may make us hold: little until its body was seen to be taken, because a client can ask for
// hundreds and keep its own windows shut. The connection's window is large enough for all of its streams, so
// that a client that reads slowly holds up nobody else.
constexpr std::int32_t kStreamWindow = 64 * 1024;
constexpr std::int32_t kWideWindow = 512 * 1024;
constexpr std::int32_t kConnectionWindow = 256 * kWideWindow;
constexpr std::size_t kMaxContinuations = 16;  // of 16 KiB: as much as a field block may hold
constexpr std::size_t kFrameHead = 9;
// Of a head as it leaves. How long one may be is a matter of maxHeaderBytes; nghttp2 would stop at 64 KiB.
constexpr std::size_t kMaxSentHeadBytes = 16 * 1024 * 1024;
constexpr std::string_view kOtherLength = "the body has not the length of content-length";

std::string_view text(const std::uint8_t* bytes, std::size_t size) {
  return {reinterpret_cast<const char*>(bytes), size};
}

}  // namespace

// The session's side of the connection. Nothing is resumed in here: what happened is noted.
struct ClientCallbacks {
  static ClientConnection& connection(void* user) { return *static_cast<ClientConnection*>(user); }

  static int on_begin_frame(nghttp2_session*, const nghttp2_frame_hd* frame, void* user) {
    ClientConnection& self = connection(user);
    switch (frame->type) {
      case NGHTTP2_PUSH_PROMISE:
        self.violation_ = "the server pushes, although it was told not to";
        return NGHTTP2_ERR_CALLBACK_FAILURE;
      case NGHTTP2_HEADERS:
      case NGHTTP2_RST_STREAM:
        if (self.find(frame->stream_id)) return 0;
        break;  // of a stream that was given up
      case NGHTTP2_CONTINUATION:
      case NGHTTP2_WINDOW_UPDATE: return 0;
      case NGHTTP2_DATA:
        if (frame->length > 0 || (frame->flags & NGHTTP2_FLAG_END_STREAM) != 0) return 0;
        break;
      default: break;  // PING, SETTINGS, GOAWAY, PRIORITY, and what nobody knows
    }
    if (self.count_overhead()) return 0;
    self.violation_ = "the server floods the connection with frames that carry nothing";
    return NGHTTP2_ERR_CALLBACK_FAILURE;
  }

  static int on_begin_headers(nghttp2_session*, const nghttp2_frame* frame, void* user) {
    if (LeasedStream* stream = connection(user).find(frame->hd.stream_id)) {
      stream->received_anything_ = true;
      stream->incoming_.clear();
    }
    return 0;
  }

  static int on_header(nghttp2_session*, const nghttp2_frame* frame, const std::uint8_t* name,
                       std::size_t name_size, const std::uint8_t* value, std::size_t value_size, std::uint8_t,
                       void* user) {
    LeasedStream* stream = connection(user).find(frame->hd.stream_id);
    if (!stream) return 0;
    FieldBlock& block = stream->incoming_;
    if (name_size > 0 && name[0] == ':') {
      // The only one that nghttp2 lets through in a response.
      const auto status = parse_digits(text(value, value_size));
      if (!status || *status < 100 || *status > 599)
        return refuse(*stream, fmt::format("status {}", quoted(text(value, value_size))));
      block.status = static_cast<int>(*status);
      return 0;
    }
    if (http::is_disguised_framing(text(name, name_size)))
      return refuse(*stream, fmt::format("framing field in disguise: {}", quoted(text(name, name_size))));
    block.add(text(name, name_size), text(value, value_size));
    if (block.bytes() + stream->head_bytes_ > kMaxFieldBlockBytes ||
        block.lines() + stream->head_lines_ > kMaxFieldLines)
      return refuse(*stream, "the response head is too large");
    return 0;
  }

  static int on_invalid_header(nghttp2_session*, const nghttp2_frame* frame, const std::uint8_t* name,
                               std::size_t name_size, const std::uint8_t*, std::size_t, std::uint8_t,
                               void* user) {
    // RFC 9113 §8.1.1: malformed, not a field to be skipped. Never the value: it may be a secret.
    LeasedStream* stream = connection(user).find(frame->hd.stream_id);
    if (!stream) return 0;
    return refuse(*stream, fmt::format("malformed field {}", quoted(text(name, name_size))));
  }

  static int refuse(LeasedStream& stream, std::string_view why) {
    stream.fail_with(
        {502, Fault::Upstream, false, fmt::format("server {}: {}", stream.connection_.peer(), why)});
    return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
  }

  static int on_frame(nghttp2_session*, const nghttp2_frame* frame, void* user) {
    ClientConnection& self = connection(user);
    if (frame->hd.type == NGHTTP2_GOAWAY) {
      self.going_away_ = true;
      return 0;
    }
    if (frame->hd.type == NGHTTP2_SETTINGS && (frame->hd.flags & NGHTTP2_FLAG_ACK) == 0)
      self.settings_here_ = true;
    if (frame->hd.type != NGHTTP2_HEADERS && frame->hd.type != NGHTTP2_DATA) return 0;
    LeasedStream* stream = self.find(frame->hd.stream_id);
    if (!stream) return 0;
    const bool end = (frame->hd.flags & NGHTTP2_FLAG_END_STREAM) != 0;
    if (frame->hd.type == NGHTTP2_HEADERS) {
      stream->head_complete(end);
    } else if (end) {
      stream->body_ended();
      self.wake_later(*stream);
    }
    return 0;
  }

  static int on_data(nghttp2_session* session, std::uint8_t, std::int32_t id, const std::uint8_t* bytes,
                     std::size_t size, void* user) {
    ClientConnection& self = connection(user);
    LeasedStream* stream = self.find(id);
    if (!stream || stream->closed_) {
      nghttp2_session_consume_connection(session, size);
      return 0;
    }
    stream->body_.append(text(bytes, size));
    self.wake_later(*stream);
    return 0;
  }

  static int on_invalid_frame(nghttp2_session*, const nghttp2_frame* frame, int code, void* user) {
    ClientConnection& self = connection(user);
    if (LeasedStream* stream = self.find(frame->hd.stream_id))
      refuse(*stream, self.violation_.empty() ? mistake(*stream, frame->hd, code) : self.violation_);
    return 0;
  }

  // nghttp2 has one word for all that is wrong with a message.
  static std::string_view mistake(const LeasedStream& stream, const nghttp2_frame_hd& frame, int code) {
    if (code != NGHTTP2_ERR_HTTP_MESSAGING) return nghttp2_strerror(code);
    const int status = stream.incoming_.status;
    if (!stream.final_here_ && status == 0) return "a head without :status";
    if ((frame.flags & NGHTTP2_FLAG_END_STREAM) == 0) return "trailers that do not end the answer";
    return status > 0 && status < 200 ? "it ended with an interim head" : kOtherLength;
  }

  static int on_stream_close(nghttp2_session*, std::int32_t id, std::uint32_t code, void* user) {
    ClientConnection& self = connection(user);
    LeasedStream* stream = self.find(id);
    if (!stream) return 0;
    stream->closed_ = true;
    if (code == NGHTTP2_REFUSED_STREAM && !stream->received_anything_) {
      give_up(*stream, "the server refused the stream");
    } else if (code != NGHTTP2_NO_ERROR || !stream->response_ended()) {
      stream->received_anything_ = true;
      stream->fail_with({502, Fault::Upstream, false,
                         fmt::format("server {}: the stream ended with {} before the answer was complete",
                                     self.peer(), nghttp2_http2_strerror(code))});
    } else {
      self.wake_later(*stream);  // whoever still sends the request
    }
    return 0;
  }

  // The server has not acted on it (RFC 9113 §8.7).
  static void give_up(LeasedStream& stream, std::string_view why) {
    stream.refused_ = true;
    stream.fail_with(
        {502, Fault::Upstream, true, fmt::format("server {}: {}", stream.connection_.peer(), why)});
  }

  static int before_frame_send(nghttp2_session*, const nghttp2_frame* frame, void* user) {
    ClientConnection& self = connection(user);
    switch (frame->hd.type) {
      case NGHTTP2_HEADERS:
        if (frame->headers.cat != NGHTTP2_HCAT_REQUEST) break;
        if (LeasedStream* stream = self.find(frame->hd.stream_id)) stream->head_at_ = self.appended_;
        break;
      case NGHTTP2_RST_STREAM:
        // nghttp2 tells nobody before that a body is not what it should be.
        if (frame->rst_stream.error_code != NGHTTP2_PROTOCOL_ERROR) break;
        if (LeasedStream* stream = self.find(frame->hd.stream_id)) refuse(*stream, kOtherLength);
        break;
      case NGHTTP2_GOAWAY:
        if (frame->goaway.error_code == NGHTTP2_NO_ERROR || !self.violation_.empty()) break;
        self.violation_ = fmt::format("{}: {}", nghttp2_http2_strerror(frame->goaway.error_code),
                                      text(frame->goaway.opaque_data, frame->goaway.opaque_data_len));
        break;
      default: break;
    }
    return 0;
  }

  static int on_frame_not_send(nghttp2_session*, const nghttp2_frame* frame, int, void* user) {
    if (frame->hd.type != NGHTTP2_HEADERS) return 0;
    LeasedStream* stream = connection(user).find(frame->hd.stream_id);
    if (!stream || stream->head_at_ != LeasedStream::kNotYet) return 0;
    stream->closed_ = true;
    give_up(*stream, "the server takes no more requests on this connection");
    return 0;
  }

  static ssize_t read_data(nghttp2_session* session, std::int32_t id, std::uint8_t*, std::size_t room,
                           std::uint32_t* flags, nghttp2_data_source*, void* user) {
    LeasedStream* stream = connection(user).find(id);
    if (!stream) return NGHTTP2_ERR_DEFERRED;  // given back: its RST_STREAM is on its way
    const std::string_view data = stream->next_data(room);
    const bool end = stream->at_end(data.size());
    if (data.empty() && !end) return NGHTTP2_ERR_DEFERRED;
    *flags |= NGHTTP2_DATA_FLAG_NO_COPY;
    if (!end) return static_cast<ssize_t>(data.size());
    *flags |= NGHTTP2_DATA_FLAG_EOF;
    if (!stream->trailers_.empty()) {
      RequestBlock block;
      for (const auto& [name, value] : stream->trailers_) block.add(name, value);
      if (nghttp2_submit_trailer(session, id, block.data(), block.size()) == 0)
        *flags |= NGHTTP2_DATA_FLAG_NO_END_STREAM;
    }
    return static_cast<ssize_t>(data.size());
  }

  static int send_data(nghttp2_session*, nghttp2_frame* frame, const std::uint8_t* head, std::size_t size,
                       nghttp2_data_source*, void* user) {
    ClientConnection& self = connection(user);
    LeasedStream* stream = self.find(frame->hd.stream_id);
    if (!stream) return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
    self.output_.append(text(head, kFrameHead));
    self.output_.append(stream->next_data(size));
    self.appended_ += kFrameHead + size;
    stream->data_sent(size);
    return 0;
  }

  // Frames of types that nobody knows are skipped, but on_begin_frame is to count them.
  static int skip_extension(nghttp2_session*, void**, const nghttp2_frame_hd*, void*) {
    return NGHTTP2_ERR_CANCEL;
  }

  static int on_error(nghttp2_session*, int, const char* message, std::size_t size, void* user) {
    connection(user).violation_ = quoted(without_field_value({message, size}), 300);
    return 0;
  }

  static const nghttp2_session_callbacks* table() {
    static const nghttp2_session_callbacks* const made = [] {
      nghttp2_session_callbacks* out = nullptr;
      nghttp2_session_callbacks_new(&out);
      nghttp2_session_callbacks_set_on_begin_frame_callback(out, on_begin_frame);
      nghttp2_session_callbacks_set_on_begin_headers_callback(out, on_begin_headers);
      nghttp2_session_callbacks_set_on_header_callback(out, on_header);
      nghttp2_session_callbacks_set_on_invalid_header_callback(out, on_invalid_header);
      nghttp2_session_callbacks_set_on_frame_recv_callback(out, on_frame);
      nghttp2_session_callbacks_set_on_data_chunk_recv_callback(out, on_data);
      nghttp2_session_callbacks_set_on_invalid_frame_recv_callback(out, on_invalid_frame);
      nghttp2_session_callbacks_set_on_stream_close_callback(out, on_stream_close);
      nghttp2_session_callbacks_set_before_frame_send_callback(out, before_frame_send);
      nghttp2_session_callbacks_set_on_frame_not_send_callback(out, on_frame_not_send);
      nghttp2_session_callbacks_set_send_data_callback(out, send_data);
      nghttp2_session_callbacks_set_unpack_extension_callback(out, skip_extension);
      nghttp2_session_callbacks_set_error_callback2(out, on_error);
      return out;
    }();
    return made;
  }
};

nghttp2_session* open_client_session(ClientConnection& connection) {
  static const nghttp2_option* const options = [] {
    nghttp2_option* out = nullptr;
    nghttp2_option_new(&out);
    nghttp2_option_set_no_auto_window_update(out, 1);
    nghttp2_option_set_no_closed_streams(out, 1);
    nghttp2_option_set_max_continuations(out, kMaxContinuations);
    nghttp2_option_set_max_send_header_block_length(out, kMaxSentHeadBytes);
    for (int type = NGHTTP2_CONTINUATION + 1; type <= 0xff; ++type)
      nghttp2_option_set_user_recv_extension_type(out, static_cast<std::uint8_t>(type));
    return out;
  }();
  nghttp2_session* session = nullptr;
  nghttp2_session_client_new2(&session, ClientCallbacks::table(), &connection, options);
  constexpr std::array<nghttp2_settings_entry, 3> kSettings{{
      {NGHTTP2_SETTINGS_ENABLE_PUSH, 0},
      {NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, kStreamWindow},
      {NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE, kMaxFieldBlockBytes},
  }};
  nghttp2_submit_settings(session, NGHTTP2_FLAG_NONE, kSettings.data(), kSettings.size());
  nghttp2_session_set_local_window_size(session, NGHTTP2_FLAG_NONE, 0, kConnectionWindow);
  return session;
}

void widen_window(nghttp2_session* session, std::int32_t id) {
  nghttp2_session_set_local_window_size(session, NGHTTP2_FLAG_NONE, id, kWideWindow);
}

std::int32_t submit_request(nghttp2_session* session, const RequestBlock& head, bool has_body) {
  nghttp2_data_provider body{};
  body.read_callback = ClientCallbacks::read_data;
  return nghttp2_submit_request(session, nullptr, head.data(), head.size(), has_body ? &body : nullptr,
                                nullptr);
}

}  // namespace fairlead::codec::h2
