#include "engine/upstream/check_schedule.h"

#include <gtest/gtest.h>

#include <list>
#include <optional>

namespace fairlead::upstream {
namespace {

using namespace std::chrono_literals;

class CheckScheduleTest : public ::testing::Test {
 protected:
  void begin(Duration interval, Duration unhealthy) {
    schedule.emplace(loop, running, server, interval, unhealthy);
    task = check();
    task.start(nullptr);
  }
  Task<void> check() {
    for (;;) {
      co_await schedule->next();
      ++checks;
    }
  }
  void pass(Duration time) {
    for (Duration step{}; step < time; step += 100ms) {
      clock.advance(100ms);
      loop.run_once({});
    }
  }

  ManualClock clock;
  event::Loop loop{clock};
  RunningChecks running;
  ServerState server;
  std::optional<CheckSchedule> schedule;
  int checks = 0;
  Task<void> task;
};

TEST_F(CheckScheduleTest, AWellServerIsCheckedOnceInItsInterval) {
  begin(30s, 20s);

  pass(29s);
  EXPECT_EQ(checks, 0);
  pass(2s);
  EXPECT_EQ(checks, 1);
  pass(30s);
  EXPECT_EQ(checks, 2);
}

TEST_F(CheckScheduleTest, AServerThatIsOutIsCheckedAtTheOtherInterval) {
  server.health.fail({.reason = "status 500"});
  begin(5s, 30s);

  pass(29s);
  EXPECT_EQ(checks, 0);
  pass(2s);
  EXPECT_EQ(checks, 1);
}

TEST_F(CheckScheduleTest, AServerThatRequestsTookOutIsNotLeftForTheLongInterval) {
  begin(1h, 5s);
  pass(7s);
  server.health.fail({.reason = "status 500", .by_requests = true});

  pass(5s);

  EXPECT_EQ(checks, 1);
}

TEST_F(CheckScheduleTest, AContainerThatDoesNotRunIsNotChecked) {
  begin(5s, 5s);
  server.phase = Phase::Draining;
  pass(12s);
  EXPECT_EQ(checks, 0);

  server.phase = Phase::Ready;
  pass(5s);

  EXPECT_EQ(checks, 1);
}

TEST_F(CheckScheduleTest, ACheckWaitsWhileAsManyRunAsMay) {
  std::list<RunningChecks::One> others;
  while (!running.full()) others.emplace_back(running);
  begin(5s, 5s);
  pass(30s);
  EXPECT_EQ(checks, 0);

  others.pop_back();
  pass(1s);

  EXPECT_EQ(checks, 1);
}

}  // namespace
}  // namespace fairlead::upstream
