#pragma once

#include "engine/codec/h2/field_block.h"
#include "engine/codec/h2/waiting_bytes.h"
#include "engine/http/body.h"

#include <cstdint>
#include <optional>

namespace fairlead::codec::h2 {

// Where the peer is told that its bytes were read: only then it may send more.
class ReadCredit {
 public:
  virtual void bytes_read(std::size_t bytes) = 0;

 protected:
  ~ReadCredit() = default;
};

// The body of a response. Bytes wait here, at most one window of them, until they are read. Part of its
// stream; a BodyPtr to it is a lease.
class ClientBody final : public http::Body {
 public:
  explicit ClientBody(ReadCredit& credit) : credit_(credit) {}

  // From the session.
  void append(std::string_view bytes) { waiting_.append(bytes); }
  void end() { ended_ = true; }
  FieldBlock& trailer_block() { return trailer_block_; }
  // Incomplete for good; what waits is not handed out any more.
  void fail(const Error& why) {
    if (!ended_ && !failed_) failed_ = why;
  }
  void wake() { signal_.notify(); }

  // The head was read: trailers go to the arena of its exchange.
  void begin(std::optional<std::uint64_t> length, Arena& arena) {
    length_ = length;
    arena_ = &arena;
  }
  bool ended() const { return ended_; }
  std::uint64_t taken() const { return read_; }  // bytes
  // Bytes that were received and for which no credit was given.
  std::size_t unread() const { return waiting_.size() + reading_.size() - handed_out_; }
  http::BodyPtr lease() { return http::BodyPtr(this); }

  Task<Result<http::Chunk>> read(std::size_t max_bytes) override;
  std::optional<std::uint64_t> length() const override;
  http::Fields* trailers() override;
  void release() override {}

 private:
  std::optional<Result<http::Chunk>> take(std::size_t max_bytes);
  Task<Result<http::Chunk>> wait_and_read(std::size_t max_bytes);

  ReadCredit& credit_;
  WaitingBytes waiting_;
  WaitingBytes reading_;        // what chunks are cut from: it stays put while the reader looks at one
  std::size_t handed_out_ = 0;  // of reading_, by the last read()
  std::uint64_t read_ = 0;
  std::optional<std::uint64_t> length_;
  std::optional<Error> failed_;
  FieldBlock trailer_block_;
  std::optional<http::Fields> trailers_;
  Arena* arena_ = nullptr;
  Signal signal_;
  bool ended_ = false;
};

}  // namespace fairlead::codec::h2
