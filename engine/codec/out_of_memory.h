#pragma once

#include "engine/base/result.h"

namespace fairlead::codec {

// What new work is told while MemoryBudget is exhausted.
inline Error out_of_memory() {
  return {503, Fault::Proxy, false, "the memory budget for buffered bytes is used up"};
}

}  // namespace fairlead::codec
