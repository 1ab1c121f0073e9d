#include "providers/throttle.h"

#include <gtest/gtest.h>

namespace fairlead::providers {
namespace {

using namespace std::chrono_literals;
using Clock = Throttle::Clock;

const Clock::time_point kStart{1h};

TEST(Throttle, WaitsUntilNothingChangedForAWhile) {
  Throttle throttle;

  throttle.changed(kStart);
  throttle.changed(kStart + 80ms);

  EXPECT_FALSE(throttle.take(kStart + 179ms));
  EXPECT_TRUE(throttle.take(kStart + 180ms));
  EXPECT_FALSE(throttle.take(kStart + 10s)) << "taken once";
}

TEST(Throttle, PublishesDuringAStorm) {
  Throttle throttle;

  for (auto t = 0ms; t <= 980ms; t += 20ms) {
    EXPECT_FALSE(throttle.take(kStart + t));
    throttle.changed(kStart + t);
  }

  EXPECT_TRUE(throttle.take(kStart + 1s));
}

TEST(Throttle, FollowsTheConfiguredDurationUpToOneSecond) {
  Throttle none(0s), slow(2s);

  none.changed(kStart);
  slow.changed(kStart);

  EXPECT_TRUE(none.take(kStart));
  EXPECT_FALSE(slow.take(kStart + 999ms));
  EXPECT_TRUE(slow.take(kStart + 1s));
}

TEST(BackOff, GrowsToAMinuteAndStartsOverAfterAGoodWhile) {
  BackOff back_off;

  EXPECT_EQ(back_off.next(0ms, 0.5), 500ms);
  EXPECT_EQ(back_off.next(0ms, 0.5), 750ms);
  EXPECT_EQ(back_off.next(0ms, 0), 562ms);
  for (int i = 0; i < 20; ++i) back_off.next(0ms, 1);
  EXPECT_EQ(back_off.next(0ms, 1), 90s);
  EXPECT_EQ(back_off.next(31s, 0.5), 500ms);
}

}  // namespace
}  // namespace fairlead::providers
