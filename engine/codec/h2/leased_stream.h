#pragma once

#include "engine/base/frame_pool.h"
#include "engine/codec/h2/client_body.h"
#include "engine/codec/h2/field_block.h"
#include "engine/codec/h2/waiting_bytes.h"
#include "engine/event/loop.h"
#include "engine/http/stream.h"

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

namespace fairlead::codec::h2 {

class ClientConnection;

// One exchange on a connection that others use as well. The session's callbacks only note what happened;
// whoever waits is woken when they are done.
class LeasedStream final : public event::Destroyable,
                           public http::ClientStream,
                           ReadCredit,
                           event::TimerUser {
 public:
  LeasedStream(ClientConnection& connection, event::Loop& loop, bool reused);
  static void* operator new(std::size_t bytes) { return take_frame(bytes); }
  static void operator delete(void* at, std::size_t bytes) { return_frame(at, bytes); }

 private:
  friend class ClientConnection;
  friend struct ClientCallbacks;
  static constexpr std::uint64_t kNotYet = ~std::uint64_t{0};

  // http::ClientStream
  void release() override;
  Task<Result<>> send(const http::RequestHead& head, std::string_view host, bool last) override;
  Task<Result<>> write(std::string_view bytes, bool last, const http::Fields* trailers) override;
  Task<Result<>> write_from(http::Lent from) override;
  Task<Result<>> receive(http::ResponseHead& head, TimePoint deadline) override;
  http::BodyPtr body() override;
  http::BodyPtr tunnel_body() override { return nullptr; }  // upgrades go over HTTP/1.1
  bool sent_anything() const override;
  bool received_anything() const override { return received_anything_; }
  bool reused() const override { return reused_; }
  bool turned_down() const override;
  void abort(const Error& why) override;
  void keep_out_of_pool() override;

  void bytes_read(std::size_t bytes) override;
  void on_timer(event::Timer& timer) override;

  // From the session.
  void head_complete(bool end_of_stream);
  void body_ended() { body_.end(); }
  void fail_with(Error why);
  bool response_ended() const { return body_.ended(); }
  // Bytes of the request body for one DATA frame of at most `room` bytes.
  std::string_view next_data(std::size_t room) const;
  void data_sent(std::size_t bytes);
  std::size_t unsent() const { return direct_.size() + out_.size(); }
  // Nothing but the end of the request is left to send.
  bool at_end(std::size_t bytes) const { return out_ended_ && unsent() == bytes; }
  void wake();

  bool take_head(http::ResponseHead& head);
  Task<Result<>> wait_for_head(http::ResponseHead& head);
  Task<Result<>> wait_for_room();

  ClientConnection& connection_;
  event::Loop& loop_;
  event::Timer timer_;
  Signal head_signal_;
  Signal room_;

  // The request.
  std::string_view direct_;  // of the write() that is running
  WaitingBytes out_;
  std::vector<std::pair<std::string, std::string>> trailers_;
  std::optional<std::uint64_t> request_left_;
  TimePoint asked_at_{};
  std::uint64_t head_at_ = kNotYet;  // where in the connection's output its HEADERS begin

  // The response.
  FieldBlock incoming_;            // the block whose lines are arriving
  std::vector<FieldBlock> heads_;  // complete ones that nobody has read
  std::size_t head_bytes_ = 0;     // of all that wait
  std::size_t head_lines_ = 0;
  ClientBody body_;
  std::optional<Error> failure_;

  LeasedStream* next_to_wake_ = nullptr;
  std::int32_t id_ = 0;  // 0: not sent
  int status_ = 0;       // of the final head, once it was read
  bool to_wake_ = false;
  bool reused_ = false;
  bool head_request_ = false;
  bool out_ended_ = false;
  bool closed_ = false;      // the session has forgotten it
  bool final_here_ = false;  // the final head has come
  bool bodiless_ = false;    // and ended the stream
  bool received_anything_ = false;
  bool refused_ = false;  // the server says that it did nothing
  bool timed_out_ = false;
  bool wide_ = false;  // its window was widened
};

}  // namespace fairlead::codec::h2
