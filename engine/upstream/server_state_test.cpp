#include "engine/upstream/server_state.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace fairlead::upstream {
namespace {

TEST(Schedule, InterleavesByWeight) {
  const auto schedule = make_schedule({3, 1});

  ASSERT_EQ(schedule.size(), 4u);
  EXPECT_EQ(std::ranges::count(schedule, 0), 3);
  EXPECT_EQ(std::ranges::count(schedule, 1), 1);
}

TEST(Schedule, DividesByTheGreatestCommonDivisor) {
  EXPECT_EQ(make_schedule({200, 100}).size(), 3u);
  EXPECT_EQ(make_schedule({7}).size(), 1u);
}

TEST(Schedule, LeavesOutWhatHasNoWeight) {
  EXPECT_TRUE(make_schedule({0, 0}).empty());
  EXPECT_TRUE(make_schedule({}).empty());
  EXPECT_EQ(make_schedule({0, 5}), (std::vector<std::uint16_t>{1}));
}

TEST(Schedule, IsBoundedAndLosesNobody) {
  const auto schedule = make_schedule({1'000'000, 1, 999'983});

  EXPECT_LE(schedule.size(), 4100u);
  for (const std::uint16_t server : {0, 1, 2}) EXPECT_GT(std::ranges::count(schedule, server), 0) << server;
}

TEST(ResponseTimes, ForgetsAllButTheLastHundred) {
  ResponseTimes times;
  EXPECT_EQ(times.mean(), 0);
  for (int i = 0; i < 100; ++i) times.add(std::chrono::milliseconds(50));
  EXPECT_EQ(times.mean(), 50'000);

  for (int i = 0; i < 100; ++i) times.add(std::chrono::milliseconds(1));

  EXPECT_EQ(times.mean(), 1000);
}

}  // namespace
}  // namespace fairlead::upstream
