#include "engine/codec/h1/input.h"

#include "engine/base/memory_budget.h"

#include <cstring>

namespace fairlead::codec::h1 {

void Input::consume(std::size_t count) {
  // Storage stays until the next fill(): the caller still looks at what it consumed.
  bytes_.remove_prefix(count);
  if (bytes_.empty()) in_receive_buffer_ = false;
}

void Input::trim() {
  if (!bytes_.empty() || counted() == 0) return;
  MemoryBudget::instance().remove(counted());
  std::string().swap(aside_);
}

Input::Fill Input::fill() {
  if (!readable_) return Fill::Dry;
  trim();
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
  const std::size_t before = counted();
  const auto offset = static_cast<std::size_t>(bytes_.data() - aside_.data());
  aside_.erase(0, offset);
  aside_.append(fresh);
  bytes_ = aside_;
  MemoryBudget::instance().add(counted() - before);
  return Fill::Got;
}

void Input::keep_aside() {
  const std::size_t before = counted();
  aside_.assign(bytes_);
  MemoryBudget::instance().add(counted() - before);
  bytes_ = aside_;
  in_receive_buffer_ = false;
}

void Input::spill() {
  if (in_receive_buffer_ && !bytes_.empty()) keep_aside();
}

void Input::drop() {
  bytes_ = {};
  in_receive_buffer_ = false;
  trim();
  loop_.release_receive_buffer(*this);
}

}  // namespace fairlead::codec::h1
