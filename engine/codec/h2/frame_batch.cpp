#include "engine/codec/h2/frame_batch.h"

#include "engine/base/assert.h"

#include <cstring>

namespace fairlead::codec::h2 {

FrameBatch& FrameBatch::fresh() {
  thread_local FrameBatch batch;
  batch.parts_.clear();
  batch.copied_ = batch.bytes_ = 0;
  return batch;
}

void FrameBatch::copy(std::string_view bytes) {
  if (bytes.empty()) return;
  FL_ASSERT(copied_ + bytes.size() <= kCopied, "whoever adds to a batch asks full() first");
  char* const to = copies_.get() + copied_;
  std::memcpy(to, bytes.data(), bytes.size());
  copied_ += bytes.size();
  bytes_ += bytes.size();
  if (!parts_.empty() && static_cast<char*>(parts_.back().iov_base) + parts_.back().iov_len == to)
    parts_.back().iov_len += bytes.size();
  else
    parts_.push_back({to, bytes.size()});
}

void FrameBatch::refer(std::string_view bytes) {
  if (bytes.size() < kMinReferred) return copy(bytes);
  bytes_ += bytes.size();
  parts_.push_back({const_cast<char*>(bytes.data()), bytes.size()});
}

}  // namespace fairlead::codec::h2
