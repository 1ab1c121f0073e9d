#include "engine/event/offload.h"

#include "engine/event/test_wait.h"

#include <gtest/gtest.h>

#include <latch>

namespace fairlead::event {
namespace {

using namespace std::chrono_literals;

using test::Outcome;
using test::run_until;

TEST(Offload, HandsTheOutcomeToTheLoopsOwnThread) {
  Loop loop;
  Offload offload;
  Outcome outcome;
  auto task = offload.run(loop, Lane::Files, [] { return std::this_thread::get_id(); });
  task.start(&outcome);

  run_until(loop, outcome.done);

  const auto ran_on = task.take();
  ASSERT_TRUE(ran_on);
  EXPECT_NE(*ran_on, std::this_thread::get_id());
}

TEST(Offload, PassesAFailureOfTheWorkOn) {
  Loop loop;
  Offload offload;
  Outcome outcome;
  auto task =
      offload.run(loop, Lane::Names, [] { return Result<int>(fail(502, Fault::Upstream, "no such name")); });
  task.start(&outcome);

  run_until(loop, outcome.done);

  EXPECT_EQ(task.take().error().detail, "no such name");
}

TEST(Offload, AFullLaneRefusesAndDelaysNoOther) {
  Loop loop;
  std::latch release(1);
  Offload offload({.names = {.threads = 1, .queued = 8},
                   .hashes = {.threads = 1, .queued = 1},
                   .files = {.threads = 1, .queued = 8}});
  std::latch running(1);
  Outcome first;
  Outcome second;
  Outcome third;
  Outcome other;
  auto blocked = offload.run(loop, Lane::Hashes, [&] {
    running.count_down();
    release.wait();
    return 1;
  });
  blocked.start(&first);
  running.wait();
  auto queued = offload.run(loop, Lane::Hashes, [] { return 2; });
  queued.start(&second);

  auto refused = offload.run(loop, Lane::Hashes, [] { return 3; });
  refused.start(&third);
  auto unaffected = offload.run(loop, Lane::Files, [] { return 4; });
  unaffected.start(&other);
  run_until(loop, other.done);

  ASSERT_TRUE(third.done);
  EXPECT_EQ(refused.take().error().status, 503);
  EXPECT_EQ(unaffected.take().value(), 4);
  EXPECT_FALSE(first.done);
  release.count_down();
  run_until(loop, second.done);
  EXPECT_EQ(queued.take().value(), 2);
}

TEST(Offload, AnAbandonedTaskIsNeverResumed) {
  Loop loop;
  std::atomic<int> ran = 0;
  {
    Offload offload;
    for (int i = 0; i < 500; ++i) {
      Outcome outcome;
      auto task = offload.run(loop, Lane::Hashes, [&ran] { return ++ran; });
      task.start(&outcome);
      if (i % 3 == 0) std::this_thread::yield();
      if (i % 7 == 0) loop.run_once(0ms);
    }
  }
  loop.run_once(0ms);

  EXPECT_LE(ran.load(), 500);
}

TEST(Offload, ServesManyLoopsAtOnce) {
  Offload offload({.names = {.threads = 1, .queued = 1},
                   .hashes = {.threads = 2, .queued = 10'000},
                   .files = {.threads = 1, .queued = 1}});
  std::vector<std::thread> workers;
  std::atomic<int> sum = 0;
  for (int worker = 0; worker < 3; ++worker) {
    workers.emplace_back([&] {
      Loop loop;
      for (int i = 0; i < 200; ++i) {
        Outcome outcome;
        auto task = offload.run(loop, Lane::Hashes, [i] { return i; });
        task.start(&outcome);
        const auto deadline = std::chrono::steady_clock::now() + 20s;
        while (!outcome.done && std::chrono::steady_clock::now() < deadline) loop.run_once(10ms);
        sum += task.take().value();
      }
    });
  }
  for (std::thread& worker : workers) worker.join();

  EXPECT_EQ(sum.load(), 3 * 199 * 200 / 2);
}

}  // namespace
}  // namespace fairlead::event
