#pragma once

#include "engine/net/transport.h"

#include <nghttp2/nghttp2.h>

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

// For unit tests only: the client's end of an HTTP/2 connection, and a transport that is two strings.
namespace fairlead::codec::h2::test {

// What the server reads comes from `in`; what it writes goes to `out`, at most `room` bytes of it.
class Wire final : public net::Transport {
 public:
  struct Shared {
    std::string in;
    std::string out;
    std::size_t room = std::size_t{1} << 30;
    int writes = 0;
    bool ended = false;  // the client's FIN
    bool finished = false;
    bool closed = false;
    net::TransportUser* user = nullptr;
  };
  explicit Wire(Shared& shared) : shared_(shared) {}

  net::IoResult read(std::span<char> into) override {
    shared_.user = user_;
    if (shared_.in.empty() && shared_.ended) return {0, net::IoStatus::End, 0, true};
    if (shared_.in.empty()) return {0, net::IoStatus::WouldBlock, 0, true};
    const std::size_t count = std::min(into.size(), shared_.in.size());
    std::memcpy(into.data(), shared_.in.data(), count);
    shared_.in.erase(0, count);
    return {count, net::IoStatus::Ok, 0, shared_.in.empty() && !shared_.ended};
  }
  net::IoResult write(std::span<const iovec> parts) override {
    ++shared_.writes;
    std::size_t taken = 0;
    for (const iovec& part : parts) {
      const std::size_t count = std::min(part.iov_len, shared_.room);
      shared_.out.append(static_cast<const char*>(part.iov_base), count);
      shared_.room -= count;
      taken += count;
    }
    return {taken, taken > 0 ? net::IoStatus::Ok : net::IoStatus::WouldBlock, 0, false};
  }
  void finish_writing() override { shared_.finished = true; }
  void close() override { shared_.closed = true; }
  bool closed() const override { return shared_.closed; }
  net::Address local() const override { return {}; }

 private:
  Shared& shared_;
};

// A client by nghttp2 that lets tests decide when windows open.
class Peer {
 public:
  struct Answer {
    std::vector<std::pair<std::string, std::string>> fields;
    std::vector<int> interim;
    std::string body;
    bool closed = false;
    std::uint32_t error = 0;
    std::string field(std::string_view name) const {
      for (const auto& [key, value] : fields)
        if (key == name) return value;
      return {};
    }
  };

  explicit Peer(std::uint32_t window = 65535) {
    nghttp2_session_callbacks* callbacks = nullptr;
    nghttp2_session_callbacks_new(&callbacks);
    nghttp2_session_callbacks_set_on_header_callback(callbacks, on_header);
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, on_data);
    nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, on_close);
    nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, on_frame);
    nghttp2_option* options = nullptr;
    nghttp2_option_new(&options);
    nghttp2_option_set_no_auto_window_update(options, 1);
    nghttp2_session_client_new2(&session, callbacks, this, options);
    nghttp2_option_del(options);
    nghttp2_session_callbacks_del(callbacks);
    const nghttp2_settings_entry entry{NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, window};
    nghttp2_submit_settings(session, NGHTTP2_FLAG_NONE, &entry, 1);
  }
  ~Peer() { nghttp2_session_del(session); }
  Peer(const Peer&) = delete;
  Peer& operator=(const Peer&) = delete;

  // `body` is sent as the server's windows allow; `stays_open`: no END_STREAM after it.
  std::int32_t ask(std::string_view method, std::string_view path, std::string body = {},
                   bool stays_open = false,
                   const std::vector<std::pair<std::string_view, std::string_view>>& fields = {}) {
    std::vector<nghttp2_nv> lines = {line(":method", method), line(":scheme", "http"), line(":path", path),
                                     line(":authority", "app")};
    for (const auto& [name, value] : fields) lines.push_back(line(name, value));
    const bool has_body = !body.empty() || stays_open;
    auto* source = new Source{std::move(body), stays_open};
    sources_.emplace_back(source);
    const nghttp2_data_provider provider{{.ptr = source}, read_body};
    return nghttp2_submit_request(session, nullptr, lines.data(), lines.size(),
                                  has_body ? &provider : nullptr, nullptr);
  }
  std::string take_output() {
    std::string out;
    for (;;) {
      const std::uint8_t* bytes = nullptr;
      const ssize_t size = nghttp2_session_mem_send(session, &bytes);
      if (size <= 0) return out;
      out.append(reinterpret_cast<const char*>(bytes), static_cast<std::size_t>(size));
    }
  }
  bool take_in(std::string_view bytes) {
    return nghttp2_session_mem_recv(session, reinterpret_cast<const std::uint8_t*>(bytes.data()),
                                    bytes.size()) == static_cast<ssize_t>(bytes.size());
  }

  nghttp2_session* session = nullptr;
  std::map<std::int32_t, Answer> answers;
  std::vector<std::pair<std::int32_t, std::uint32_t>> goaways;  // last stream, error

 private:
  struct Source {
    std::string left;
    bool stays_open;
  };
  static nghttp2_nv line(std::string_view name, std::string_view value) {
    const auto bytes = [](std::string_view text) {
      return reinterpret_cast<std::uint8_t*>(const_cast<char*>(text.data()));
    };
    return {bytes(name), bytes(value), name.size(), value.size(), NGHTTP2_NV_FLAG_NONE};
  }
  static Peer& self(void* user) { return *static_cast<Peer*>(user); }
  static int on_header(nghttp2_session*, const nghttp2_frame* frame, const std::uint8_t* name,
                       std::size_t name_size, const std::uint8_t* value, std::size_t value_size, std::uint8_t,
                       void* user) {
    self(user).answers[frame->hd.stream_id].fields.emplace_back(
        std::string(reinterpret_cast<const char*>(name), name_size),
        std::string(reinterpret_cast<const char*>(value), value_size));
    return 0;
  }
  static int on_data(nghttp2_session*, std::uint8_t, std::int32_t id, const std::uint8_t* data,
                     std::size_t size, void* user) {
    self(user).answers[id].body.append(reinterpret_cast<const char*>(data), size);
    return 0;
  }
  static int on_close(nghttp2_session*, std::int32_t id, std::uint32_t error, void* user) {
    self(user).answers[id].closed = true;
    self(user).answers[id].error = error;
    return 0;
  }
  static int on_frame(nghttp2_session*, const nghttp2_frame* frame, void* user) {
    if (frame->hd.type == NGHTTP2_GOAWAY)
      self(user).goaways.emplace_back(frame->goaway.last_stream_id, frame->goaway.error_code);
    return 0;
  }
  static ssize_t read_body(nghttp2_session*, std::int32_t, std::uint8_t* into, std::size_t room,
                           std::uint32_t* flags, nghttp2_data_source* source, void*) {
    auto& from = *static_cast<Source*>(source->ptr);
    if (from.left.empty() && from.stays_open) return NGHTTP2_ERR_DEFERRED;
    const std::size_t count = std::min(room, from.left.size());
    std::memcpy(into, from.left.data(), count);
    from.left.erase(0, count);
    if (from.left.empty() && !from.stays_open) *flags |= NGHTTP2_DATA_FLAG_EOF;
    return static_cast<ssize_t>(count);
  }

  std::vector<std::unique_ptr<Source>> sources_;
};

}  // namespace fairlead::codec::h2::test
