#pragma once

#include "engine/base/memory_budget.h"

#include <utility>

namespace fairlead {

// Bytes of a text that grows or waits, counted in the budget of buffered bytes as long as this lives.
class HeldBytes {
 public:
  HeldBytes() = default;
  HeldBytes(const HeldBytes&) = delete;
  HeldBytes& operator=(const HeldBytes&) = delete;
  ~HeldBytes() { let_go(); }

  void hold(std::size_t bytes) {
    MemoryBudget::instance().add(bytes);
    bytes_ += bytes;
  }
  void let_go() { MemoryBudget::instance().remove(std::exchange(bytes_, 0)); }

 private:
  std::size_t bytes_ = 0;
};

}  // namespace fairlead
