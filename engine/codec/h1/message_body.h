#pragma once

#include "engine/base/task.h"
#include "engine/codec/h1/chunked.h"
#include "engine/codec/h1/input.h"
#include "engine/codec/h1/response_parser.h"
#include "engine/http/body.h"
#include "engine/http/fields.h"

#include <cstdint>
#include <memory>
#include <optional>

namespace fairlead::codec::h1 {

// The connection that a MessageBody reads from.
class BodyOwner {
 public:
  // Called before the body waits for bytes, and when it no longer does: time limits.
  virtual void body_waits(bool waits) = 0;
  // The first read of a body whose sender waits for 100 (Continue).
  virtual void body_wanted() {}
  // The message has been read to its end.
  virtual void body_complete() = 0;
  // The reader let go of it.
  virtual void body_released() = 0;

 protected:
  ~BodyOwner() = default;
};

// The body of the message that a connection is receiving: counted, chunked, or everything until the end of
// the connection (which is also how tunnels read). Part of its connection; a BodyPtr to it is a lease.
class MessageBody final : public http::Body, http::Lender {
 public:
  MessageBody(Input& input, net::Transport& transport, BodyOwner& owner, Fault sender)
      : input_(input), transport_(transport), owner_(owner), sender_(sender) {}

  // A new message begins. `trailers` collects the trailer fields (null drops them).
  void begin(BodyKind kind, std::uint64_t length, http::Fields* trailers);
  void begin_tunnel();
  BodyKind kind() const { return kind_; }
  bool complete() const { return complete_; }
  // What follows on the connection cannot be trusted.
  bool broken() const { return broken_; }
  bool leased() const { return leased_; }
  // Somebody has begun to read it.
  bool wanted() const { return wanted_; }
  // Somebody waits for more of it.
  bool has_waiter() const { return signal_.has_waiter(); }
  std::uint64_t left() const { return left_; }
  // Body bytes handed out so far.
  std::uint64_t received() const { return received_; }
  http::BodyPtr lease() {
    leased_ = true;
    return http::BodyPtr(this);
  }

  // Something changed for a waiting reader: bytes, the end, or failure.
  void wake() { signal_.notify(); }
  void fail_with(Error error) {
    failed_ = std::make_unique<Error>(std::move(error));
    signal_.notify();
  }

  Task<Result<http::Chunk>> read(std::size_t max_bytes) override;
  std::optional<std::uint64_t> length() const override;
  bool tunnel() const override { return tunnel_; }
  std::optional<http::Lent> lend() override;
  http::Fields* trailers() override { return trailers_ && !trailers_->empty() ? trailers_ : nullptr; }
  void release() override;

 private:
  int fd() const override { return transport_.plain_fd(); }
  Task<Result<>> readable() override;
  void moved(std::uint64_t bytes, bool drained) override;

  // Somebody begins to read.
  void want();
  // What can be had now without waiting: a chunk, an error, or nothing yet.
  std::optional<Result<http::Chunk>> take(std::size_t max_bytes);
  std::optional<Result<http::Chunk>> try_take(std::size_t max_bytes);
  Result<http::Chunk> take_chunked(std::size_t max_bytes, bool& nothing);
  Task<Result<http::Chunk>> wait_and_read(std::size_t max_bytes);
  Task<Result<http::Chunk>> read_next_turn(std::size_t max_bytes);
  Result<http::Chunk> ended_early();
  void finish();

  Input& input_;
  net::Transport& transport_;
  BodyOwner& owner_;
  Fault sender_;
  BodyKind kind_ = BodyKind::None;
  bool tunnel_ = false;
  bool complete_ = true;
  bool leased_ = false;
  bool broken_ = false;
  bool wanted_ = false;
  std::uint64_t left_ = 0;
  std::uint64_t received_ = 0;
  std::unique_ptr<ChunkedDecoder> decoder_;  // idle connections have none
  http::Fields* trailers_ = nullptr;
  std::unique_ptr<Error> failed_;
  Signal signal_;
};

}  // namespace fairlead::codec::h1
