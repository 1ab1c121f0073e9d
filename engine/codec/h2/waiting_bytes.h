#pragma once

#include "engine/base/frame_pool.h"

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>

namespace fairlead::codec::h2 {

// Bytes of one stream that wait: received and not read, or written and not taken by the peer's window.
// Counted in the memory budget.
class WaitingBytes {
 public:
  WaitingBytes() = default;
  WaitingBytes(const WaitingBytes&) = delete;
  WaitingBytes& operator=(const WaitingBytes&) = delete;
  ~WaitingBytes() { drop(); }

  void append(std::string_view bytes);
  std::string_view view() const { return std::string_view(text_).substr(at_); }
  std::size_t size() const { return text_.size() - at_; }
  bool empty() const { return size() == 0; }
  // Storage stays where it is until the next append().
  void consume(std::size_t bytes) { at_ += bytes; }
  // Gives the storage back.
  void drop();
  void swap(WaitingBytes& other) {
    text_.swap(other.text_);
    std::swap(at_, other.at_);
    std::swap(counted_, other.counted_);
  }

 private:
  std::basic_string<char, std::char_traits<char>, FrameAllocator<char>> text_;
  std::size_t at_ = 0;       // first byte that still waits
  std::size_t counted_ = 0;  // bytes of storage in the memory budget
};

}  // namespace fairlead::codec::h2
