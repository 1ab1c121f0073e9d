// A connection whose peer is the input of a fuzz target.
#pragma once

#include "engine/net/transport.h"

#include <algorithm>
#include <cstdlib>
#include <span>
#include <string_view>

namespace fairlead::fuzz {

inline void demand(bool condition) {
  if (!condition) std::abort();
}

// Gives the input in pieces, and takes what is written: nothing of it at every `refused`th write, when not 0.
class Wire final : public net::Transport {
 public:
  explicit Wire(int refused = 0) : refused_(refused) {}
  net::IoResult read(std::span<char> into) override {
    if (left.empty())
      return ended ? net::IoResult{0, net::IoStatus::End, 0, true}
                   : net::IoResult{0, net::IoStatus::WouldBlock, 0, true};
    const std::size_t size = std::min({into.size(), left.size(), piece});
    left.copy(into.data(), size);
    left.remove_prefix(size);
    return {size, net::IoStatus::Ok, 0, true};
  }
  net::IoResult write(std::span<const iovec> parts) override {
    ++writes_;
    if (refused_ != 0 && writes_ % refused_ == 0) return {0, net::IoStatus::WouldBlock, 0, false};
    net::IoResult all;
    for (const iovec& part : parts) all.bytes += part.iov_len;
    return all;
  }
  void finish_writing() override {}
  void close() override { over = true; }
  bool closed() const override { return over; }
  net::Address local() const override { return {}; }
  void arrive() { user_->on_readable(); }
  void take_more() { user_->on_writable(); }

  std::string_view left;
  std::size_t piece = 1;
  bool ended = false;
  bool over = false;

 private:
  int refused_;
  int writes_ = 0;
};

}  // namespace fairlead::fuzz
