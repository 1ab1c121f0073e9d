#include "engine/codec/h2/waiting_bytes.h"

#include "engine/base/memory_budget.h"

namespace fairlead::codec::h2 {

void WaitingBytes::append(std::string_view bytes) {
  if (empty()) {
    text_.clear();
    at_ = 0;
  } else if (at_ > text_.size() / 2) {
    text_.erase(0, at_);
    at_ = 0;
  }
  text_.append(bytes);
  if (text_.capacity() == counted_) return;
  MemoryBudget::instance().add(text_.capacity());
  MemoryBudget::instance().remove(counted_);
  counted_ = text_.capacity();
}

void WaitingBytes::drop() {
  if (counted_ > 0) MemoryBudget::instance().remove(counted_);
  counted_ = 0;
  std::string().swap(text_);
  at_ = 0;
}

}  // namespace fairlead::codec::h2
