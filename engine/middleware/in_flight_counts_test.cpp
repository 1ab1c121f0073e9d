#include "engine/middleware/in_flight_counts.h"

#include <gtest/gtest.h>

#include <thread>
#include <vector>

namespace fairlead::middleware {
namespace {

TEST(InFlightCounts, NeverExceedTheLimitWhateverThreadsDo) {
  InFlightCounts counts;
  std::atomic<int> running = 0;
  std::atomic<int> most = 0;
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t)
    threads.emplace_back([&] {
      for (int i = 0; i < 2000; ++i)
        if (const auto place = counts.enter("source", 2)) {
          const int now = ++running;
          for (int seen = most; now > seen && !most.compare_exchange_weak(seen, now);) {
          }
          --running;
        }
    });
  for (std::thread& thread : threads) thread.join();

  EXPECT_LE(most, 2);
  EXPECT_TRUE(counts.enter("source", 1)) << "all places were given back";
}

}  // namespace
}  // namespace fairlead::middleware
