#include "engine/codec/h2/client_body.h"

#include <algorithm>

namespace fairlead::codec::h2 {

std::optional<Result<http::Chunk>> ClientBody::take(std::size_t max_bytes) {
  reading_.consume(std::exchange(handed_out_, 0));
  if (failed_) return std::unexpected(*failed_);
  if (reading_.empty()) reading_.swap(waiting_);
  const std::string_view bytes = reading_.view().substr(0, max_bytes);
  const bool last = ended_ && bytes.size() == reading_.size() && waiting_.empty();
  if (bytes.empty() && !last) return std::nullopt;
  handed_out_ = bytes.size();
  read_ += bytes.size();
  if (!bytes.empty()) credit_.bytes_read(bytes.size());
  return http::Chunk{bytes, last};
}

Task<Result<http::Chunk>> ClientBody::read(std::size_t max_bytes) {
  if (auto now = take(max_bytes)) return Task<Result<http::Chunk>>::ready(std::move(*now));
  return wait_and_read(max_bytes);
}

Task<Result<http::Chunk>> ClientBody::wait_and_read(std::size_t max_bytes) {
  for (;;) {
    co_await signal_.wait();
    if (auto now = take(max_bytes)) co_return std::move(*now);
  }
}

std::optional<std::uint64_t> ClientBody::length() const {
  if (!length_) return std::nullopt;
  return *length_ - std::min(*length_, read_);
}

http::Fields* ClientBody::trailers() {
  if (!trailers_ && !trailer_block_.empty() && arena_) {
    trailers_.emplace(*arena_);
    trailer_block_.copy_trailers_to(*trailers_);
  }
  return trailers_ && !trailers_->empty() ? &*trailers_ : nullptr;
}

}  // namespace fairlead::codec::h2
