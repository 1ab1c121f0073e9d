#include "engine/net/output.h"

#include <algorithm>
#include <array>
#include <cstring>

namespace fairlead::net {
namespace {
constexpr std::size_t kMaxParts = 16;  // iovecs of one writev; further blocks go with the next
}

char* Output::reserve(std::size_t bytes) {
  if (!last_ || last_->room() < bytes) {
    Block* block = take_block(bytes);
    (last_ ? last_->next : first_) = block;
    last_ = block;
  }
  return last_->data() + last_->end;
}

void Output::append(std::string_view bytes) {
  while (!bytes.empty()) {
    if (!last_ || last_->room() == 0) reserve(1);
    const std::size_t part = std::min(bytes.size(), last_->room());
    std::memcpy(last_->data() + last_->end, bytes.data(), part);
    commit(part);
    bytes.remove_prefix(part);
  }
}

void Output::clear() {
  while (first_) {
    Block* next = first_->next;
    return_block(first_);
    first_ = next;
  }
  last_ = nullptr;
  size_ = 0;
}

void Output::drop_written(std::size_t bytes) {
  size_ -= bytes;
  while (first_ && bytes >= first_->size()) {
    bytes -= first_->size();
    Block* next = first_->next;
    return_block(first_);
    first_ = next;
  }
  if (!first_) {
    last_ = nullptr;
    return;
  }
  first_->begin += static_cast<std::uint32_t>(bytes);
}

IoResult Output::flush(Transport& transport, std::string_view head, std::string_view body,
                       std::string_view tail) {
  std::array<std::string_view, 3> extra{head, body, tail};
  IoResult result;
  for (;;) {
    std::array<iovec, kMaxParts + 3> parts;
    std::size_t count = 0;
    Block* block = first_;
    std::size_t queued = 0;
    for (; block && count < kMaxParts; block = block->next) {
      if (block->size() == 0) continue;
      parts[count++] = {block->data() + block->begin, block->size()};
      queued += block->size();
    }
    std::size_t wanted = queued;
    if (!block)
      for (const std::string_view part : extra) {
        if (part.empty()) continue;
        parts[count++] = {const_cast<char*>(part.data()), part.size()};
        wanted += part.size();
      }
    if (count == 0) {
      clear();
      return result;
    }
    const IoResult written = transport.write({parts.data(), count});
    if (written.status == IoStatus::Failed || written.status == IoStatus::End) {
      clear();
      return written;
    }
    result.bytes += written.bytes;
    drop_written(std::min(written.bytes, queued));
    std::size_t of_extra = written.bytes > queued ? written.bytes - queued : 0;
    for (std::string_view& part : extra) {
      const std::size_t done = std::min(of_extra, part.size());
      part.remove_prefix(done);
      of_extra -= done;
    }
    if (written.bytes == wanted && !block) {
      clear();
      return result;
    }
    if (written.bytes < wanted) {
      for (const std::string_view part : extra) append(part);
      result.status = IoStatus::WouldBlock;
      return result;
    }
  }
}

}  // namespace fairlead::net
