#include "acme/order_threads.h"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>
#include <vector>

namespace fairlead::acme {
namespace {

using namespace std::chrono_literals;

constexpr auto kLong = 20s;  // for a busy machine; nothing waits that long

// A job that hangs until it is stopped or released.
struct Hanging {
  std::atomic<bool> released = false;
  std::atomic<int> begun = 0;

  OrderThreads::Job job() {
    return [this](const std::stop_token& stop) {
      ++begun;
      while (!stop.stop_requested() && !released) std::this_thread::sleep_for(1ms);
    };
  }
};

bool reached(const std::atomic<int>& count, int wanted) {
  const auto until = std::chrono::steady_clock::now() + kLong;
  while (count < wanted && std::chrono::steady_clock::now() < until) std::this_thread::sleep_for(1ms);
  return count >= wanted;
}

TEST(OrderThreads, RunJobsInTheirOrder) {
  std::vector<int> seen;
  std::atomic<int> done = 0;
  OrderThreads threads({.at_once = 1});
  for (int i = 0; i < 100; ++i)
    threads.add([&, i](const std::stop_token&) {
      seen.push_back(i);
      ++done;
    });

  ASSERT_TRUE(reached(done, 100));
  threads.stop();

  std::vector<int> expected;
  for (int i = 0; i < 100; ++i) expected.push_back(i);
  EXPECT_EQ(seen, expected);
}

TEST(OrderThreads, BeginNoMoreAtOnceThanTheyMay) {
  Hanging hanging;
  OrderThreads threads({.at_once = 3, .patience = 1h});
  for (int i = 0; i < 10; ++i) threads.add(hanging.job());

  EXPECT_TRUE(reached(hanging.begun, 3));
  std::this_thread::sleep_for(50ms);
  EXPECT_EQ(hanging.begun, 3);

  hanging.released = true;
  EXPECT_TRUE(reached(hanging.begun, 10));
}

TEST(OrderThreads, LetTheNextBeginBesideThoseThatHang) {
  Hanging hanging;
  std::atomic<int> done = 0;
  OrderThreads threads({.at_once = 2, .patience = 10ms});
  for (int i = 0; i < 40; ++i) threads.add(hanging.job());
  threads.add([&](const std::stop_token&) { ++done; });

  EXPECT_TRUE(reached(done, 1));
  EXPECT_EQ(hanging.begun, 40);
}

TEST(OrderThreads, AreNeverMoreThanTheyMay) {
  Hanging hanging;
  OrderThreads threads({.at_once = 2, .in_all = 4, .patience = 1ms});
  for (int i = 0; i < 10; ++i) threads.add(hanging.job());

  EXPECT_TRUE(reached(hanging.begun, 4));
  std::this_thread::sleep_for(50ms);
  EXPECT_EQ(hanging.begun, 4);
}

TEST(OrderThreads, EndWithoutWorkAndComeBackForMore) {
  std::atomic<int> done = 0;
  OrderThreads threads({.idle = 1ms});
  for (int i = 0; i < 20; ++i) {
    threads.add([&](const std::stop_token&) { ++done; });
    ASSERT_TRUE(reached(done, i + 1));
    std::this_thread::sleep_for(5ms);
  }
}

TEST(OrderThreads, StopWhatRunsAndDropWhatWaits) {
  Hanging hanging;
  OrderThreads threads({.at_once = 1, .patience = 1h});
  threads.add(hanging.job());
  threads.add(hanging.job());
  ASSERT_TRUE(reached(hanging.begun, 1));

  threads.stop();
  threads.add(hanging.job());

  EXPECT_EQ(hanging.begun, 1);
}

}  // namespace
}  // namespace fairlead::acme
