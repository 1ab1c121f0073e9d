#include "engine/codec/h2/session_memory.h"

#include <gtest/gtest.h>

#include <cstring>

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

TEST(SessionMemory, ATableThatHoldsSomethingStaysAsItIs) {
  SessionMemory memory;
  memory.begin();
  auto* const table = static_cast<char*>(SessionMemory::allocate_zeros(256, 16, &memory));
  memory.made();
  table[100] = 'x';

  memory.rest();
  EXPECT_EQ(table[100], 'x');
  table[100] = 0;
  memory.rest();

  EXPECT_EQ(table[100], 0);
  table[100] = 'y';
  EXPECT_EQ(table[100], 'y');
  SessionMemory::release(table, &memory);
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
