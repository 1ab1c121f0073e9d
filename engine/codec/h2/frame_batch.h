#pragma once

#include <sys/uio.h>

#include <cstddef>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

namespace fairlead::codec::h2 {

// Frames on their way through one call of one connection of this thread, to leave in one send. Small pieces
// are copied together; large payloads are referred to where they are.
class FrameBatch {
 public:
  // The one of this thread, empty.
  static FrameBatch& fresh();

  void copy(std::string_view bytes);
  // `bytes` stay where they are until the batch was written.
  void refer(std::string_view bytes);
  // Time to write it: another frame may not fit.
  bool full() const {
    return bytes_ >= kBytes || copied_ + kLargestFrame > kCopied || parts_.size() >= kParts;
  }
  bool empty() const { return bytes_ == 0; }
  std::size_t bytes() const { return bytes_; }
  std::span<const iovec> parts() const { return parts_; }

 private:
  static constexpr std::size_t kBytes = 128 * 1024;  // what TLS sends at once
  static constexpr std::size_t kLargestFrame = 16 * 1024 + 64;
  static constexpr std::size_t kCopied = 64 * 1024;
  static constexpr std::size_t kParts = 64;
  static constexpr std::size_t kMinReferred = 4096;  // less is copied: a piece of its own costs more

  std::unique_ptr<char[]> copies_{new char[kCopied]};
  std::vector<iovec> parts_;
  std::size_t copied_ = 0;
  std::size_t bytes_ = 0;
};

}  // namespace fairlead::codec::h2
