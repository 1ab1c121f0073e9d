// Who could go on and on lets others have their turn.

#include "engine/event/loop.h"

#include <gtest/gtest.h>

#include <vector>

namespace fairlead::event {
namespace {

using namespace std::chrono_literals;

// Does a piece of its endless work at each tick end until the tick is overdue, then in the next one.
struct Greedy final : TickHook {
  explicit Greedy(Loop& of) : loop(of) {}
  void on_tick_end() override {
    ++pieces;
    if (loop.end_overdue())
      loop.at_next_tick_end(*this);
    else
      loop.at_tick_end(*this);
  }
  Loop& loop;
  int pieces = 0;
};

TEST(LoopTurns, EndlessHooksDoNotKeepATickFromEnding) {
  ManualClock clock;
  Loop loop(clock);
  Greedy greedy(loop);
  loop.at_tick_end(greedy);

  loop.run_once(0ms);
  const int first = greedy.pieces;
  EXPECT_GT(first, 1000);

  loop.run_once(0ms);
  EXPECT_NEAR(greedy.pieces, 2 * first, 2);
}

TEST(LoopTurns, WhatWaitsForTheNextTickMakesItComeAtOnce) {
  Loop loop;
  struct Once final : TickHook {
    int count = 0;
    void on_tick_end() override { ++count; }
  } once;
  loop.run_once(0ms);
  loop.at_next_tick_end(once);

  const TimePoint begun = std::chrono::steady_clock::now();
  loop.run_once(40s);

  EXPECT_EQ(once.count, 1);
  EXPECT_LT(std::chrono::steady_clock::now() - begun, 30s);
}

TEST(LoopTurns, AHookThatIsGoneIsForgotten) {
  ManualClock clock;
  Loop loop(clock);
  {
    Greedy gone(loop);
    loop.at_next_tick_end(gone);
  }

  loop.run_once(0ms);
}

TEST(LoopTurns, ATickIsOverdueAfterManyBytesAndTheNextIsNot) {
  ManualClock clock;
  Loop loop(clock);
  loop.run_once(0ms);
  loop.note_received(1024 * 1024);
  EXPECT_FALSE(loop.overdue());
  clock.advance(6ms);
  EXPECT_TRUE(loop.overdue()) << "with some bytes the clock counts";
  loop.run_once(0ms);
  EXPECT_FALSE(loop.overdue());
  loop.note_received(8 * 1024 * 1024);
  EXPECT_TRUE(loop.overdue());
  loop.run_once(0ms);
  EXPECT_FALSE(loop.overdue());
}

Task<void> three_turns(Loop& loop, std::vector<std::uint64_t>& ticks) {
  for (int i = 0; i < 3; ++i) {
    co_await loop.next_tick();
    ticks.push_back(loop.tick());
  }
}

TEST(LoopTurns, ATaskGoesOnInTheNextTickUnlessItIsCancelled) {
  ManualClock clock;
  Loop loop(clock);
  std::vector<std::uint64_t> ticks;
  std::vector<std::uint64_t> none;
  Task<void> task = three_turns(loop, ticks);
  Task<void> cancelled = three_turns(loop, none);
  task.start(nullptr);
  cancelled.start(nullptr);
  cancelled.cancel();

  for (int i = 0; i < 5; ++i) loop.run_once(0ms);

  EXPECT_EQ(ticks, (std::vector<std::uint64_t>{1, 2, 3}));
  EXPECT_TRUE(none.empty());
}

}  // namespace
}  // namespace fairlead::event
