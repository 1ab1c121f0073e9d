#pragma once

#include <cstddef>
#include <cstdint>

namespace fairlead {

// A piece of a byte queue. Ordinary blocks hold kBytes and are pooled per thread; larger ones are made for
// one oversized head and freed after it.
struct Block {
  // A TLS record, and so much more that blocks which follow each other begin in different sets of the cache.
  static constexpr std::size_t kBytes = 16 * 1024 + 288;

  Block* next = nullptr;
  std::uint32_t begin = 0;  // first byte that waits
  std::uint32_t end = 0;    // one past the last
  std::uint32_t capacity = 0;

  char* data() { return reinterpret_cast<char*>(this + 1); }
  std::size_t size() const { return end - begin; }
  std::size_t room() const { return capacity - end; }
};

// At least `bytes` of room. Counted in the memory budget.
Block* take_block(std::size_t bytes = Block::kBytes);
void return_block(Block* block);

}  // namespace fairlead
