#include "engine/codec/h2/session_memory.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <iterator>
#include <map>
#include <memory>
#include <random>
#include <set>
#include <utility>
#include <vector>

namespace fairlead::codec::h2 {
namespace {

constexpr std::size_t kFrame = 16394;  // what nghttp2 1.52 asks for

TEST(SessionMemory, SessionsOfAThreadShareTheirFirstFrameOnly) {
  SessionMemory one;
  SessionMemory other;
  one.begin();
  void* const first = SessionMemory::change(nullptr, kFrame, &one);
  void* const second = SessionMemory::change(nullptr, kFrame, &one);
  one.made();
  other.begin();
  void* const of_other = SessionMemory::change(nullptr, kFrame, &other);
  other.made();
  void* const later = SessionMemory::allocate(kFrame, &other);

  EXPECT_EQ(first, of_other);
  EXPECT_NE(first, second);
  EXPECT_NE(first, later);

  for (void* at : {first, second}) SessionMemory::release(at, &one);
  for (void* at : {of_other, later}) SessionMemory::release(at, &other);
}

TEST(SessionMemory, WhatASessionIsMadeOfIsTheSameAfterARest) {
  SessionMemory memory;
  memory.begin();
  auto* const session = static_cast<std::uint64_t*>(SessionMemory::allocate_zeros(1, 3000, &memory));
  auto* const table = static_cast<char*>(SessionMemory::allocate_zeros(256, 16, &memory));
  memory.made();
  session[0] = 0x0100000000000000;
  session[374] = reinterpret_cast<std::uintptr_t>(table);
  table[1000] = 'x';

  for (int i = 0; i < 2; ++i) {  // the second time with what the first one put back
    memory.rest();
    EXPECT_EQ(table[1000], 0) << "the page was given back";
    memory.wake();
  }

  EXPECT_EQ(session[0], 0x0100000000000000u);
  EXPECT_EQ(session[1], 0u);
  EXPECT_EQ(session[374], reinterpret_cast<std::uintptr_t>(table));
  EXPECT_EQ(table[1000], 'x');
  EXPECT_EQ(std::count(table, table + 4096, 0), 4095);
  SessionMemory::release(table, &memory);
  SessionMemory::release(session, &memory);
}

TEST(SessionMemory, PiecesThatAreAskedForLaterSurviveARest) {
  SessionMemory memory;
  std::map<void*, std::pair<std::size_t, int>> pieces;  // size and content
  std::mt19937 random(7);
  for (int round = 0; round < 2000; ++round) {
    if (pieces.empty() || random() % 2) {
      const std::size_t size = 1 + random() % 250;
      void* const at = round % 3 ? SessionMemory::allocate(size, &memory)
                                 : SessionMemory::allocate_zeros(1, size, &memory);
      if (round % 3 == 0)
        ASSERT_EQ(std::count(static_cast<char*>(at), static_cast<char*>(at) + size, 0), size);
      const int content = static_cast<int>(random() % 4 ? random() % 256 : 0);
      std::memset(at, content, size);
      ASSERT_TRUE(pieces.emplace(at, std::pair(size, content)).second);
    } else {
      const auto one = std::next(pieces.begin(), static_cast<long>(random() % pieces.size()));
      SessionMemory::release(one->first, &memory);
      pieces.erase(one);
    }
    if (round % 50 == 0) {
      memory.rest();
      memory.wake();
    }
    for (const auto& [at, piece] : pieces)
      ASSERT_EQ(std::count(static_cast<char*>(at), static_cast<char*>(at) + piece.first,
                           static_cast<char>(piece.second)),
                piece.first);
  }
  for (const auto& [at, piece] : pieces) SessionMemory::release(at, &memory);
}

TEST(SessionMemory, MoreThanThePagesHoldComesFromElsewhere) {
  SessionMemory memory;
  memory.begin();
  void* const first = SessionMemory::allocate_zeros(1, 10'000, &memory);
  auto* const second = static_cast<char*>(SessionMemory::allocate_zeros(1, 10'000, &memory));
  memory.made();
  std::memset(first, 'x', 10'000);

  EXPECT_EQ(std::count(second, second + 10'000, 0), 10'000);

  SessionMemory::release(first, &memory);
  SessionMemory::release(second, &memory);
}

TEST(SessionMemory, PagesComeBackAsZeros) {
  std::set<void*> seen;
  for (int i = 0; i < 300; ++i) {
    std::vector<std::unique_ptr<SessionMemory>> sessions;
    for (int j = 0; j < (i == 0 ? 200 : 1); ++j) {
      SessionMemory& memory = *sessions.emplace_back(std::make_unique<SessionMemory>());
      memory.begin();
      auto* const at = static_cast<char*>(SessionMemory::allocate_zeros(1, 12'000, &memory));
      memory.made();
      seen.insert(at);
      ASSERT_EQ(std::count(at, at + 12'000, 0), 12'000);
      std::memset(at, 'x', 12'000);
      if (i % 2) memory.rest();
    }
  }
  EXPECT_LE(seen.size(), 201u) << "they are used again";
}

TEST(SessionMemory, AGrownPieceKeepsItsBytes) {
  SessionMemory memory;
  void* const small = SessionMemory::allocate(8, &memory);
  std::memcpy(small, "1234567", 8);

  void* const large = SessionMemory::change(small, 5000, &memory);

  EXPECT_STREQ(static_cast<const char*>(large), "1234567");
  SessionMemory::release(large, &memory);
}

}  // namespace
}  // namespace fairlead::codec::h2
