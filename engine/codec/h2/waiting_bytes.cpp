#include "engine/codec/h2/waiting_bytes.h"

#include "engine/base/memory_budget.h"

namespace fairlead::codec::h2 {
namespace {

// Less is no more than a stream itself takes, and all workers share the budget's counter.
constexpr std::size_t kCounts = 1024;

}  // namespace

void WaitingBytes::append(std::string_view bytes) {
  if (empty()) {
    text_.clear();
    at_ = 0;
  } else if (at_ > text_.size() / 2) {
    text_.erase(0, at_);
    at_ = 0;
  }
  text_.append(bytes);
  const std::size_t counts = text_.capacity() < kCounts ? 0 : text_.capacity();
  if (counts == counted_) return;
  MemoryBudget::instance().add(counts);
  MemoryBudget::instance().remove(counted_);
  counted_ = counts;
}

void WaitingBytes::drop() {
  if (counted_ > 0) MemoryBudget::instance().remove(counted_);
  counted_ = 0;
  decltype(text_)().swap(text_);
  at_ = 0;
}

}  // namespace fairlead::codec::h2
