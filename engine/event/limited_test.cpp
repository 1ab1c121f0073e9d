#include "engine/event/limited.h"

#include "engine/event/test_wait.h"

#include <gtest/gtest.h>

namespace fairlead::event {
namespace {

using namespace std::chrono_literals;

struct Alive {
  explicit Alive(int& number) : count(number) { ++count; }
  Alive(const Alive&) = delete;
  Alive& operator=(const Alive&) = delete;
  ~Alive() { --count; }
  int& count;
};

Task<int> seven_after(Loop& loop, Duration pause, int& running) {
  const Alive alive(running);
  co_await loop.sleep(pause);
  co_return 7;
}

TEST(By, BringsWhatComesInTime) {
  Loop loop;
  int running = 0;

  EXPECT_EQ(test::wait(loop, by(loop, loop.now() + 20s, seven_after(loop, 1ms, running))), 7);
  EXPECT_EQ(test::wait(loop, by(loop, TimePoint::max(), seven_after(loop, 1ms, running))), 7);
  EXPECT_EQ(test::wait(loop, by(loop, loop.now(), Task<int>::ready(7))), 7);
  EXPECT_EQ(running, 0);
}

TEST(By, GivesUpWhatDoesNot) {
  Loop loop;
  int running = 0;

  EXPECT_EQ(test::wait(loop, by(loop, loop.now() + 1ms, seven_after(loop, 1h, running))), std::nullopt);
  EXPECT_EQ(running, 0);
}

TEST(By, EndsWithWhoWaits) {
  Loop loop;
  int running = 0;
  {
    auto task = by(loop, loop.now() + 1h, seven_after(loop, 1h, running));
    task.start(nullptr);
    EXPECT_EQ(running, 1);
  }
  EXPECT_EQ(running, 0);
}

}  // namespace
}  // namespace fairlead::event
