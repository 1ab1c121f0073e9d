#pragma once

#include "engine/base/blocks.h"
#include "engine/net/transport.h"

#include <cstddef>
#include <string_view>

namespace fairlead::net {

// Bytes on their way to a transport. What is appended waits until flush(); an idle connection holds no block.
class Output {
 public:
  Output() = default;
  Output(const Output&) = delete;
  Output& operator=(const Output&) = delete;
  ~Output() { clear(); }

  // Contiguous room for `bytes`; commit() says how much of it was used.
  char* reserve(std::size_t bytes);
  void commit(std::size_t bytes) {
    last_->end += static_cast<std::uint32_t>(bytes);
    size_ += bytes;
  }
  void append(std::string_view bytes);
  void clear();

  bool empty() const { return size_ == 0; }
  std::size_t size() const { return size_; }

  // Writes what waits, then `head`, `body` and `tail` straight from where they are. What the peer does not
  // take is kept (copied). Ok: everything given was written or kept; see size().
  IoResult flush(Transport& transport, std::string_view head = {}, std::string_view body = {},
                 std::string_view tail = {});

 private:
  void drop_written(std::size_t bytes);

  Block* first_ = nullptr;
  Block* last_ = nullptr;
  std::size_t size_ = 0;
};

}  // namespace fairlead::net
