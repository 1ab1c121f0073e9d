#include "engine/base/blocks.h"

#include "engine/base/memory_budget.h"
#include "engine/base/prefetch.h"

#include <algorithm>
#include <new>

namespace fairlead {
namespace {

constexpr std::size_t kKeptBlocks = 256;  // 4 MiB per thread

struct FreeBlocks {
  Block* first = nullptr;
  std::size_t count = 0;
  ~FreeBlocks() {
    while (first) {
      Block* next = first->next;
      ::operator delete(first);
      first = next;
    }
  }
};
thread_local FreeBlocks pool;

}  // namespace

Block* take_block(std::size_t bytes) {
  const std::size_t capacity = std::max(bytes, Block::kBytes);
  MemoryBudget::instance().add(capacity);
  if (capacity == Block::kBytes && pool.first) {
    Block* block = pool.first;
    pool.first = block->next;
    prefetch(block->next, 2);  // for whoever comes next
    --pool.count;
    block->next = nullptr;
    block->begin = block->end = 0;
    return block;
  }
  auto* block = new (::operator new(sizeof(Block) + capacity)) Block;
  block->capacity = static_cast<std::uint32_t>(capacity);
  return block;
}

void return_block(Block* block) {
  MemoryBudget::instance().remove(block->capacity);
  if (block->capacity != Block::kBytes || pool.count >= kKeptBlocks) return ::operator delete(block);
  block->next = pool.first;
  pool.first = block;
  ++pool.count;
}

}  // namespace fairlead
