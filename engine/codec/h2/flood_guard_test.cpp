#include "engine/codec/h2/flood_guard.h"

#include <gtest/gtest.h>

#include <limits>

namespace fairlead::codec::h2 {
namespace {

using namespace std::chrono_literals;

constexpr TimePoint kStart{Duration(1h)};
constexpr std::uint32_t kStreams = 250;

TEST(FloodGuard, LetsAHeapOfFramesPassAndThenNoMore) {
  FloodGuard guard(kStreams);
  for (std::uint32_t i = 0; i < FloodGuard::kFrames; ++i) ASSERT_TRUE(guard.spend(Flood::Ping, kStart));

  EXPECT_FALSE(guard.spend(Flood::Settings, kStart)) << "kinds share what there is";
}

TEST(FloodGuard, ForgivesWithTime) {
  FloodGuard guard(kStreams);
  while (guard.spend(Flood::Reset, kStart)) {
  }

  EXPECT_TRUE(guard.spend(Flood::Reset, kStart + 1s));
}

TEST(FloodGuard, LetsAClientTakeBackAllThatItMayAskAtOnceTwice) {
  for (const std::uint32_t streams : {1U, 250U, 1000U}) {
    FloodGuard guard(streams);
    for (std::uint32_t i = 0; i < 2 * streams; ++i) ASSERT_TRUE(guard.spend(Flood::Reset, kStart)) << streams;
  }
  FloodGuard endless(std::numeric_limits<std::uint32_t>::max());
  EXPECT_TRUE(endless.spend(Flood::Reset, kStart));
}

TEST(FloodGuard, CountsRequestsThatWereBeingAnsweredAsFrames) {
  FloodGuard guard(kStreams);
  for (int second = 0; second < 1000; ++second)
    for (int i = 0; i < 300; ++i) ASSERT_TRUE(guard.spend_late_reset(kStart + std::chrono::seconds(second)));

  while (guard.spend_late_reset(kStart + 1000s)) {
  }
  EXPECT_TRUE(guard.spend(Flood::Reset, kStart + 1000s));
  EXPECT_FALSE(guard.spend(Flood::Ping, kStart + 1000s));
}

TEST(FloodGuard, NeverEndsAConnectionThatIsPinged) {
  FloodGuard guard(kStreams);
  for (int second = 0; second < 1000; ++second)
    for (int i = 0; i < 300; ++i)
      ASSERT_TRUE(guard.spend(Flood::Ping, kStart + std::chrono::seconds(second)));
}

TEST(FloodGuard, SetsAnswersOffAgainstResets) {
  FloodGuard guard(kStreams);
  for (int i = 0; i < 100'000; ++i) {
    ASSERT_TRUE(guard.spend(Flood::Reset, kStart));
    guard.answered();
  }
}

TEST(FloodGuard, LetsAReceiverUpdateItsWindowsAsOftenAsItReads) {
  FloodGuard guard(kStreams);
  // Go's client: once for every 4 KiB, of the stream and of the connection.
  for (int i = 0; i < 100'000; ++i) {
    guard.carried(16384);
    for (int update = 0; update < 8; ++update) ASSERT_TRUE(guard.spend(Flood::WindowUpdate, kStart));
  }
}

TEST(FloodGuard, KeepsRequestsAndFramesApart) {
  FloodGuard guard(kStreams);
  while (guard.spend(Flood::Reset, kStart)) {
  }

  EXPECT_TRUE(guard.spend(Flood::Ping, kStart));
}

}  // namespace
}  // namespace fairlead::codec::h2
