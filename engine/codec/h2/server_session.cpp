#include "engine/codec/h2/server_session.h"

#include "engine/base/assert.h"
#include "engine/codec/h2/frame_batch.h"
#include "engine/codec/h2/server.h"
#include "engine/codec/h2/session_memory.h"
#include "engine/codec/h2/violation.h"

#include <algorithm>
#include <array>
#include <vector>

namespace fairlead::codec::h2 {
namespace {

// Of a head as it leaves, at most: what a server may say and what middlewares add.
constexpr std::size_t kMaxSentHeadBytes = 1024 * 1024;

}  // namespace

// What nghttp2 calls. None of it runs an exchange.
struct ServerCallbacks {
  static ServerConnection& connection(void* user) { return *static_cast<ServerConnection*>(user); }
  static ServerStream* stream(nghttp2_session* session, std::int32_t id) {
    return static_cast<ServerStream*>(nghttp2_session_get_stream_user_data(session, id));
  }
  static std::string_view text(const std::uint8_t* bytes, std::size_t size) {
    return {reinterpret_cast<const char*>(bytes), size};
  }

  static int on_begin_frame(nghttp2_session*, const nghttp2_frame_hd* hd, void* user) {
    return connection(user).admit_frame(hd->type, hd->flags, hd->length, hd->stream_id)
               ? 0
               : NGHTTP2_ERR_CALLBACK_FAILURE;
  }

  static int on_begin_headers(nghttp2_session* session, const nghttp2_frame* frame, void* user) {
    if (frame->hd.type != NGHTTP2_HEADERS) return 0;
    ServerConnection& self = connection(user);
    if (frame->headers.cat == NGHTTP2_HCAT_REQUEST)
      return self.begin_request(frame->hd.stream_id) ? 0 : NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
    self.decoding_ = nullptr;
    if (ServerStream* of = stream(session, frame->hd.stream_id)) self.begin_trailers(*of);
    return 0;
  }

  static int on_header(nghttp2_session*, const nghttp2_frame* frame, const std::uint8_t* name,
                       std::size_t name_size, const std::uint8_t* value, std::size_t value_size, std::uint8_t,
                       void* user) {
    ServerConnection& self = connection(user);
    ServerStream* of = self.decoding_;
    if (!of || of->id_ != frame->hd.stream_id) return 0;
    return self.take_field(*of, frame->headers.cat != NGHTTP2_HCAT_REQUEST, text(name, name_size),
                           text(value, value_size))
               ? 0
               : NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
  }

  // A name or value that nghttp2 would only leave out: we refuse the request.
  static int on_invalid_header(nghttp2_session*, const nghttp2_frame*, const std::uint8_t*, std::size_t,
                               const std::uint8_t*, std::size_t, std::uint8_t, void*) {
    return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
  }

  static int on_frame_recv(nghttp2_session* session, const nghttp2_frame* frame, void* user) {
    const bool ends = (frame->hd.flags & NGHTTP2_FLAG_END_STREAM) != 0;
    // Padding alone is nothing as well.
    if (frame->hd.type == NGHTTP2_DATA && !ends && frame->data.padlen > 0 &&
        frame->data.padlen == frame->hd.length && !connection(user).spend(Flood::EmptyData))
      return NGHTTP2_ERR_CALLBACK_FAILURE;
    if (frame->hd.type != NGHTTP2_HEADERS && (frame->hd.type != NGHTTP2_DATA || !ends)) return 0;
    ServerStream* of = stream(session, frame->hd.stream_id);
    if (!of) return 0;
    ServerConnection& self = connection(user);
    if (frame->hd.type == NGHTTP2_HEADERS && frame->headers.cat == NGHTTP2_HCAT_REQUEST)
      self.request_complete(*of, ends);
    else if (ends)
      self.body_ended(*of);
    return 0;
  }

  static int on_data(nghttp2_session* session, std::uint8_t, std::int32_t id, const std::uint8_t* data,
                     std::size_t size, void* user) {
    connection(user).take_data(stream(session, id), id, text(data, size));
    return 0;
  }

  static int on_invalid_frame(nghttp2_session* session, const nghttp2_frame* frame, int error, void* user) {
    if (frame->hd.stream_id == 0) return 0;
    // Each is answered by a frame that waits until the client reads.
    if (error == NGHTTP2_ERR_REFUSED_STREAM)
      return connection(user).spend(Flood::Refused) ? 0 : NGHTTP2_ERR_CALLBACK_FAILURE;
    if (ServerStream* of = stream(session, frame->hd.stream_id))
      connection(user).stream_broken(*of, nghttp2_strerror(error));
    return 0;
  }

  static int on_stream_close(nghttp2_session* session, std::int32_t id, std::uint32_t, void* user) {
    if (ServerStream* of = stream(session, id)) connection(user).stream_closed(*of);
    return 0;
  }

  static int on_frame_send(nghttp2_session* session, const nghttp2_frame* frame, void* user) {
    ServerConnection& self = connection(user);
    if (frame->hd.type == NGHTTP2_RST_STREAM) {
      const std::uint32_t code = frame->rst_stream.error_code;
      ServerStream* of = stream(session, frame->hd.stream_id);
      // Resets that the client brought about by breaking rules are as good as its own (CVE-2025-8671).
      if (code != NGHTTP2_NO_ERROR && code != NGHTTP2_REFUSED_STREAM && !(of && of->our_reset_)) {
        (void)self.spend(Flood::Reset);
        // nghttp2 tells nobody before that a body is not what it should be.
        if (of)
          self.stream_broken(*of, code == NGHTTP2_PROTOCOL_ERROR
                                      ? "the body has not the length of content-length"
                                      : nghttp2_http2_strerror(code));
      }
    } else if (frame->hd.type == NGHTTP2_GOAWAY) {
      if (frame->goaway.error_code != NGHTTP2_NO_ERROR && !self.explained_)
        self.handler_.refused(
            {0, Fault::Client, false,
             "HTTP/2 connection error " + std::string(nghttp2_http2_strerror(frame->goaway.error_code)) +
                 ": " + std::string(text(frame->goaway.opaque_data, frame->goaway.opaque_data_len))});
    } else if (frame->hd.type == NGHTTP2_DATA || frame->hd.type == NGHTTP2_HEADERS) {
      ServerStream* of = stream(session, frame->hd.stream_id);
      if (!of) return 0;
      of->answer_begun_ = of->head_sent_;
      if ((frame->hd.flags & NGHTTP2_FLAG_END_STREAM) != 0) self.answer_ended(*of);
    }
    return 0;
  }

  // An answer that cannot be sent: the client must not wait for it.
  static int on_frame_not_send(nghttp2_session* session, const nghttp2_frame* frame, int, void* user) {
    if (frame->hd.type != NGHTTP2_HEADERS) return 0;
    if (ServerStream* of = stream(session, frame->hd.stream_id)) {
      of->our_reset_ = true;
      connection(user).reset_stream(*of, StreamError::Internal);
    }
    return 0;
  }

  static int on_error(nghttp2_session*, int, const char* message, std::size_t size, void* user) {
    connection(user).violation_ = without_field_value({message, size});
    return 0;
  }

  static ssize_t read_body(nghttp2_session* session, std::int32_t id, std::uint8_t*, std::size_t size,
                           std::uint32_t* flags, nghttp2_data_source* source, void*) {
    auto& of = *static_cast<ServerStream*>(source->ptr);
    const std::size_t count = std::min(size, of.ready_bytes().size());
    if (count == 0 && !of.ended_out_) {
      of.deferred_ = true;
      return NGHTTP2_ERR_DEFERRED;
    }
    // The payload is not copied here: send_body() says where it is.
    if (count > 0) *flags |= NGHTTP2_DATA_FLAG_NO_COPY;
    if (!of.ended_out_ || count < of.unsent()) return static_cast<ssize_t>(count);
    *flags |= NGHTTP2_DATA_FLAG_EOF;
    if (!of.response_trailers_) return static_cast<ssize_t>(count);
    *flags |= NGHTTP2_DATA_FLAG_NO_END_STREAM;
    std::vector<nghttp2_nv> lines;
    for (const auto& [name, value] : *of.response_trailers_)
      lines.push_back({reinterpret_cast<std::uint8_t*>(const_cast<char*>(name.data())),
                       reinterpret_cast<std::uint8_t*>(const_cast<char*>(value.data())), name.size(),
                       value.size(), NGHTTP2_NV_FLAG_NONE});
    nghttp2_submit_trailer(session, id, lines.data(), lines.size());
    return static_cast<ssize_t>(count);
  }

  static int send_body(nghttp2_session*, nghttp2_frame* frame, const std::uint8_t* head, std::size_t size,
                       nghttp2_data_source* source, void* user) {
    constexpr std::size_t kFrameHead = 9;
    auto& of = *static_cast<ServerStream*>(source->ptr);
    FrameBatch& batch = *connection(user).batch_;
    batch.copy(text(head, kFrameHead));
    batch.refer(of.ready_bytes().substr(0, size));
    of.take_ready(size);
    connection(user).guard_.carried(frame->hd.length);
    return batch.full() ? NGHTTP2_ERR_PAUSE : 0;
  }

  static const nghttp2_session_callbacks* all() {
    static const nghttp2_session_callbacks* const made = [] {
      nghttp2_session_callbacks* c = nullptr;
      FL_ASSERT(nghttp2_session_callbacks_new(&c) == 0, "it only fails without memory");
      nghttp2_session_callbacks_set_on_begin_frame_callback(c, on_begin_frame);
      nghttp2_session_callbacks_set_on_begin_headers_callback(c, on_begin_headers);
      nghttp2_session_callbacks_set_on_header_callback(c, on_header);
      nghttp2_session_callbacks_set_on_invalid_header_callback(c, on_invalid_header);
      nghttp2_session_callbacks_set_on_frame_recv_callback(c, on_frame_recv);
      nghttp2_session_callbacks_set_on_data_chunk_recv_callback(c, on_data);
      nghttp2_session_callbacks_set_on_invalid_frame_recv_callback(c, on_invalid_frame);
      nghttp2_session_callbacks_set_on_stream_close_callback(c, on_stream_close);
      nghttp2_session_callbacks_set_on_frame_send_callback(c, on_frame_send);
      nghttp2_session_callbacks_set_on_frame_not_send_callback(c, on_frame_not_send);
      nghttp2_session_callbacks_set_error_callback2(c, on_error);
      nghttp2_session_callbacks_set_send_data_callback(c, send_body);
      return c;
    }();
    return made;
  }
};

nghttp2_data_provider body_of(void* stream) { return {{.ptr = stream}, ServerCallbacks::read_body}; }

nghttp2_session* new_server_session(ServerConnection& connection, const ServerSettings& settings,
                                    SessionMemory& memory) {
  const std::size_t most = settings.common.limits.max_head_bytes;
  nghttp2_option* options = nullptr;
  FL_ASSERT(nghttp2_option_new(&options) == 0, "it only fails without memory");
  nghttp2_option_set_no_auto_window_update(options, 1);
  nghttp2_option_set_no_closed_streams(options, 1);
  nghttp2_option_set_max_deflate_dynamic_table_size(options, settings.encoder_table);
  // nghttp2 sends no head of more than 64 KiB unless told to, and says nothing to anybody.
  nghttp2_option_set_max_send_header_block_length(options, kMaxSentHeadBytes);
  // As many frames as the longest head needs, and some.
  nghttp2_option_set_max_continuations(options, most / 16384 + 8);
  nghttp2_mem functions{&memory, SessionMemory::allocate, SessionMemory::release,
                        SessionMemory::allocate_zeros, SessionMemory::change};
  nghttp2_session* session = nullptr;
  memory.begin();
  FL_ASSERT(
      nghttp2_session_server_new3(&session, ServerCallbacks::all(), &connection, options, &functions) == 0,
      "it only fails without memory");
  memory.made();
  nghttp2_option_del(options);

  std::array<nghttp2_settings_entry, 6> entries = {{
      {NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, settings.max_concurrent_streams},
      {NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, kStreamWindow},
      {NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE,
       static_cast<std::uint32_t>(std::min<std::size_t>(most, INT32_MAX))},
      {NGHTTP2_SETTINGS_ENABLE_CONNECT_PROTOCOL, 1},
      // RFC 9218 §2.1: the tree of RFC 7540 is not built; all streams get their turn.
      {NGHTTP2_SETTINGS_NO_RFC7540_PRIORITIES, 1},
      {NGHTTP2_SETTINGS_HEADER_TABLE_SIZE, settings.decoder_table},
  }};
  const bool usual_table = settings.decoder_table == NGHTTP2_DEFAULT_HEADER_TABLE_SIZE;
  nghttp2_submit_settings(session, NGHTTP2_FLAG_NONE, entries.data(), entries.size() - (usual_table ? 1 : 0));
  nghttp2_session_set_local_window_size(session, NGHTTP2_FLAG_NONE, 0, kConnectionWindow);
  return session;
}

}  // namespace fairlead::codec::h2
