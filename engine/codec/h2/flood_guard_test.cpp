#include "engine/codec/h2/flood_guard.h"

#include <gtest/gtest.h>

namespace fairlead::codec::h2 {
namespace {

using namespace std::chrono_literals;

constexpr TimePoint kStart{Duration(1h)};

TEST(FloodGuard, LetsAHeapOfFramesPassAndThenNoMore) {
  FloodGuard guard;
  for (std::uint32_t i = 0; i < FloodGuard::kFrames; ++i) ASSERT_TRUE(guard.spend(Flood::Ping, kStart));

  EXPECT_FALSE(guard.spend(Flood::Settings, kStart)) << "kinds share what there is";
}

TEST(FloodGuard, ForgivesWithTime) {
  FloodGuard guard;
  while (guard.spend(Flood::Reset, kStart)) {
  }

  EXPECT_TRUE(guard.spend(Flood::Reset, kStart + 1s));
}

TEST(FloodGuard, NeverEndsAConnectionThatIsPinged) {
  FloodGuard guard;
  for (int second = 0; second < 1000; ++second)
    for (int i = 0; i < 300; ++i)
      ASSERT_TRUE(guard.spend(Flood::Ping, kStart + std::chrono::seconds(second)));
}

TEST(FloodGuard, SetsAnswersOffAgainstResets) {
  FloodGuard guard;
  for (int i = 0; i < 100'000; ++i) {
    ASSERT_TRUE(guard.spend(Flood::Reset, kStart));
    guard.answered();
  }
}

TEST(FloodGuard, LetsAReceiverUpdateItsWindowsAsOftenAsItReads) {
  FloodGuard guard;
  // Go's client: once for every 4 KiB, of the stream and of the connection.
  for (int i = 0; i < 100'000; ++i) {
    guard.carried(16384);
    for (int update = 0; update < 8; ++update) ASSERT_TRUE(guard.spend(Flood::WindowUpdate, kStart));
  }
}

TEST(FloodGuard, KeepsRequestsAndFramesApart) {
  FloodGuard guard;
  while (guard.spend(Flood::Reset, kStart)) {
  }

  EXPECT_TRUE(guard.spend(Flood::Ping, kStart));
}

}  // namespace
}  // namespace fairlead::codec::h2
