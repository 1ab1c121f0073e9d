#include "engine/tls/library_memory.h"

#include <gtest/gtest.h>
#include <malloc.h>

#include <cstdint>
#include <cstring>
#include <thread>
#include <utility>
#include <vector>

namespace fairlead::tls {
namespace {

TEST(LibraryMemory, WhatIsGivenBackIsTakenAgain) {
  void* block = take_library_block(104);
  give_library_block(block);
  EXPECT_EQ(take_library_block(97), block);
  give_library_block(block);
}

TEST(LibraryMemory, BlocksHoldWhatWasAskedForAndDoNotOverlap) {
  for (int round = 0; round < 3; ++round) {
    std::vector<std::pair<char*, std::size_t>> blocks;
    // From the smallest that the heap gives; a sanitizer's gives less, and no room for a link.
    for (std::size_t bytes = 24; bytes < 1300; ++bytes) {
      auto* at = static_cast<char*>(take_library_block(bytes));
      ASSERT_GE(::malloc_usable_size(at), bytes);
      EXPECT_EQ(reinterpret_cast<std::uintptr_t>(at) % 16, 0U);
      std::memset(at, static_cast<int>(bytes % 251), bytes);
      blocks.emplace_back(at, bytes);
    }
    for (const auto& [at, bytes] : blocks) {
      const auto mark = static_cast<char>(bytes % 251);
      EXPECT_TRUE(at[0] == mark && at[bytes - 1] == mark) << bytes;
    }
    for (const auto& [at, bytes] : blocks) give_library_block(at);
  }
}

TEST(LibraryMemory, NothingIsTakenForNoBytesAndNothingGivenBackForNull) {
  EXPECT_EQ(take_library_block(0), nullptr);
  give_library_block(nullptr);
}

#if !__has_feature(address_sanitizer)  // whose heap says nothing of itself
TEST(LibraryMemory, KeepsABoundedNumberOfBlocksOfEachSize) {
  std::vector<void*> blocks;
  for (int i = 0; i < 1000; ++i) blocks.push_back(take_library_block(1000));
  const std::size_t taken = ::mallinfo2().uordblks;

  for (void* block : blocks) give_library_block(block);

  EXPECT_LT(::mallinfo2().uordblks, taken - 950'000);
}
#endif

TEST(LibraryMemory, BlocksMayBeGivenBackByAnotherThreadAndOutliveTheirOwn) {
  std::vector<void*> blocks;
  std::thread([&] {
    for (int i = 0; i < 50; ++i) blocks.push_back(take_library_block(64));
    give_library_block(take_library_block(64));
  }).join();
  for (void* block : blocks) std::memset(block, 1, 64);
  std::thread([&] {
    for (void* block : blocks) give_library_block(block);
  }).join();
}

}  // namespace
}  // namespace fairlead::tls
