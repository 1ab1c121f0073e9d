#include "engine/codec/h1/input.h"

#include <cstring>

#include "engine/base/memory_budget.h"

namespace fairlead::codec::h1 {

void Input::consume(std::size_t count) {
  bytes_.remove_prefix(count);
  if (!bytes_.empty()) return;
  if (in_receive_buffer_) {
    in_receive_buffer_ = false;
    return;
  }
  if (aside_.capacity() > 0) {
    MemoryBudget::instance().remove(aside_.capacity());
    std::string().swap(aside_);
  }
}

Input::Fill Input::fill() {
  if (!readable_) return Fill::Dry;
  // Bytes that wait and new ones must be contiguous: what waits goes aside first.
  if (!bytes_.empty() && in_receive_buffer_) keep_aside();
  const std::span<char> buffer = loop_.receive_buffer(*this);
  const net::IoResult got = transport_.read(buffer);
  readable_ = !got.drained;
  switch (got.status) {
    case net::IoStatus::WouldBlock: return Fill::Dry;
    case net::IoStatus::End: return Fill::End;
    case net::IoStatus::Failed: error_ = got.error; return Fill::Failed;
    case net::IoStatus::Ok: break;
  }
  const std::string_view fresh(buffer.data(), got.bytes);
  if (bytes_.empty()) {
    bytes_ = fresh;
    in_receive_buffer_ = true;
    return Fill::Got;
  }
  const std::size_t before = aside_.capacity();
  const auto offset = static_cast<std::size_t>(bytes_.data() - aside_.data());
  aside_.erase(0, offset);
  aside_.append(fresh);
  bytes_ = aside_;
  MemoryBudget::instance().add(aside_.capacity() - before);
  return Fill::Got;
}

void Input::keep_aside() {
  aside_.assign(bytes_);
  MemoryBudget::instance().add(aside_.capacity());
  bytes_ = aside_;
  in_receive_buffer_ = false;
}

void Input::spill() {
  if (in_receive_buffer_ && !bytes_.empty()) keep_aside();
}

void Input::drop() {
  if (!in_receive_buffer_ && aside_.capacity() > 0) MemoryBudget::instance().remove(aside_.capacity());
  std::string().swap(aside_);
  bytes_ = {};
  in_receive_buffer_ = false;
  loop_.release_receive_buffer(*this);
}

}  // namespace fairlead::codec::h1
