#include "engine/event/loop.h"

#include <gtest/gtest.h>
#include <sys/socket.h>

#include <random>
#include <thread>

namespace fairlead::event {
namespace {

using namespace std::chrono_literals;

struct Fired : TimerUser {
  int count = 0;
  void on_timer(Timer&) override { ++count; }
};

TEST(Timer, FiresOnceAfterItsDeadlineAndNotBefore) {
  ManualClock clock;
  Loop loop(clock);
  Fired fired;
  Timer timer(loop.timers(), fired);
  timer.arm(loop.now() + 100ms);

  clock.advance(95ms);
  loop.run_once(0ms);
  EXPECT_EQ(fired.count, 0);

  clock.advance(15ms);
  loop.run_once(0ms);
  EXPECT_EQ(fired.count, 1);

  clock.advance(1h);
  loop.run_once(0ms);
  EXPECT_EQ(fired.count, 1);
}

TEST(Timer, CanBePushedBackManyTimesAndFiresAtTheLastDeadline) {
  ManualClock clock;
  Loop loop(clock);
  Fired fired;
  Timer timer(loop.timers(), fired);
  for (int i = 0; i < 1000; ++i) {
    timer.arm(loop.now() + 3s);
    clock.advance(10ms);
    loop.run_once(0ms);
    ASSERT_EQ(fired.count, 0) << i;
  }

  clock.advance(3s);
  loop.run_once(0ms);

  EXPECT_EQ(fired.count, 1);
}

TEST(Timer, CanBePulledForward) {
  ManualClock clock;
  Loop loop(clock);
  Fired fired;
  Timer timer(loop.timers(), fired);
  timer.arm(loop.now() + 1h);
  timer.arm(loop.now() + 20ms);

  clock.advance(40ms);
  loop.run_once(0ms);

  EXPECT_EQ(fired.count, 1);
}

TEST(Timer, ManyRandomTimersFireWithinATickOfTheirDeadline) {
  ManualClock clock;
  Loop loop(clock);
  std::mt19937 random(7);
  struct One final : TimerUser {
    Loop* loop = nullptr;
    TimePoint due;
    bool fired = false;
    void on_timer(Timer&) override {
      fired = true;
      EXPECT_GE(loop->now(), due);
      EXPECT_LE(loop->now(), due + 12ms);
    }
  };
  std::vector<One> users(500);
  std::vector<std::unique_ptr<Timer>> timers;
  for (One& user : users) {
    user.loop = &loop;
    user.due = loop.now() + std::chrono::milliseconds(random() % 700'000);
    timers.push_back(std::make_unique<Timer>(loop.timers(), user));
    timers.back()->arm(user.due);
  }

  for (int i = 0; i < 710'000 / 3; ++i) {
    clock.advance(3ms);
    loop.run_once(0ms);
  }

  for (const One& user : users) EXPECT_TRUE(user.fired);
}

TEST(Timer, OneDayIsNotForgotten) {
  ManualClock clock;
  Loop loop(clock);
  Fired fired;
  Timer timer(loop.timers(), fired);
  timer.arm(loop.now() + 24h * 5);
  for (int i = 0; i < 5 * 24 - 1; ++i) {
    clock.advance(1h);
    loop.run_once(0ms);
  }
  EXPECT_EQ(fired.count, 0);

  clock.advance(1h + 1s);
  loop.run_once(0ms);

  EXPECT_EQ(fired.count, 1);
}

TEST(Loop, RunsMessagesOfOtherThreadsInOrder) {
  Loop loop;
  std::vector<int> seen;
  std::thread other([&] {
    for (int i = 0; i < 100; ++i) loop.post([&seen, i] { seen.push_back(i); });
    loop.stop();
  });

  loop.run();
  other.join();

  ASSERT_EQ(seen.size(), 100u);
  EXPECT_EQ(seen.front(), 0);
  EXPECT_EQ(seen.back(), 99);
}

Task<void> nap(Loop& loop, int& woken) {
  co_await loop.sleep(50ms);
  ++woken;
}

TEST(Loop, SleepEndsWithItsTask) {
  ManualClock clock;
  Loop loop(clock);
  int woken = 0;
  Task<void> first = nap(loop, woken);
  Task<void> second = nap(loop, woken);
  first.start(nullptr);
  second.start(nullptr);
  second.cancel();

  clock.advance(100ms);
  loop.run_once(0ms);

  EXPECT_EQ(woken, 1);
}

struct Heard final : Handler {
  int count = 0;
  void on_event(std::uint32_t) override { ++count; }
};

struct Pair {
  Pair() {
    int ends[2];
    EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
    watched = Fd(ends[0]);
    other = Fd(ends[1]);
  }
  void speak() const { EXPECT_EQ(::send(other.get(), "x", 1, MSG_NOSIGNAL), 1); }
  Fd watched;
  Fd other;
};

// As a program that another thread starts holds copies of all sockets until it has begun.
TEST(Loop, EventsOfAClosedDescriptorReachNobodyWhileACopyOfItLives) {
  Loop loop;
  Pair closed;
  Heard gone;
  ASSERT_TRUE(loop.add(closed.watched.get(), gone, EPOLLIN | EPOLLET));
  const Fd copy(::dup(closed.watched.get()));
  const int number = closed.watched.get();
  loop.forget(number);
  closed.watched.reset();

  closed.speak();
  loop.run_once(0ms);
  EXPECT_EQ(gone.count, 0);

  // Nor whoever has its number now.
  Pair next;
  ASSERT_EQ(next.watched.get(), number);
  Heard heard;
  ASSERT_TRUE(loop.add(number, heard, EPOLLIN | EPOLLET));
  closed.speak();
  loop.run_once(0ms);
  EXPECT_EQ(gone.count + heard.count, 0);

  next.speak();
  loop.run_once(0ms);
  EXPECT_EQ(heard.count, 1);
}

TEST(Loop, TellsAPausedDescriptorNothingUntilItIsAddedAgain) {
  Loop loop;
  Pair pair;
  Heard heard;
  ASSERT_TRUE(loop.add(pair.watched.get(), heard, EPOLLIN));
  loop.remove(pair.watched.get());
  pair.speak();
  loop.run_once(0ms);
  EXPECT_EQ(heard.count, 0);

  ASSERT_TRUE(loop.add(pair.watched.get(), heard, EPOLLIN));
  loop.run_once(0ms);
  EXPECT_EQ(heard.count, 1);
}

struct Holder : ReceiveHolder {
  int spilled = 0;
  void spill() override { ++spilled; }
};

TEST(Loop, AsksTheHolderOfTheReceiveBufferToSpillBeforeAnotherReads) {
  Loop loop;
  Holder first;
  Holder second;
  loop.receive_buffer(first);
  loop.receive_buffer(first);
  EXPECT_EQ(first.spilled, 0);

  loop.receive_buffer(second);

  EXPECT_EQ(first.spilled, 1);
}

}  // namespace
}  // namespace fairlead::event
