#include "engine/base/task.h"

#include <gtest/gtest.h>

#include <string>

namespace fairlead {
namespace {

Task<int> three() { co_return 3; }
Task<int> sum_of(int times) {
  int sum = 0;
  for (int i = 0; i < times; ++i) {
    const int value = co_await three();
    sum += value;
  }
  co_return sum;
}
Task<int> wait_for(Signal& signal, int value) {
  co_await signal.wait();
  co_return value;
}
Task<int> outer(Signal& signal) {
  const int value = co_await wait_for(signal, 7);
  co_return value + 1;
}

struct Done : Completion {
  int calls = 0;
  void task_done() override { ++calls; }
};

TEST(Task, RunsOnlyWhenStarted) {
  Done done;
  Task<int> task = three();
  EXPECT_FALSE(task.done());

  task.start(&done);

  EXPECT_TRUE(task.done());
  EXPECT_EQ(task.take(), 3);
  EXPECT_EQ(done.calls, 1);
}

TEST(Task, AMillionAwaitsThatFinishAtOnceNeedNoStack) {
  Task<int> task = sum_of(1'000'000);

  task.start(nullptr);

  EXPECT_EQ(task.take(), 3'000'000);
}

TEST(Task, AReadyValueNeedsNoFrame) {
  Task<std::string> task = Task<std::string>::ready("here");

  EXPECT_TRUE(task.done());
  EXPECT_EQ(task.take(), "here");
}

TEST(Signal, ResumesTheChainOfWaitersInsideNotify) {
  Signal signal;
  Done done;
  Task<int> task = outer(signal);
  task.start(&done);
  ASSERT_EQ(done.calls, 0);

  signal.notify();

  EXPECT_EQ(done.calls, 1);
  EXPECT_EQ(task.take(), 8);
}

TEST(Signal, ForgetsAWaiterThatWasCancelled) {
  Signal signal;
  Task<int> task = outer(signal);
  task.start(nullptr);
  ASSERT_TRUE(signal.has_waiter());

  task.cancel();

  EXPECT_FALSE(signal.has_waiter());
  signal.notify();
}

Task<void> count_after(Signal& signal, int& count) {
  co_await signal.wait();
  ++count;
}

TEST(Scope, CancelsWhatStillRunsWhenItEnds) {
  Signal first;
  Signal second;
  int count = 0;
  {
    Scope scope;
    scope.spawn(count_after(first, count));
    scope.spawn(count_after(second, count));
    ASSERT_EQ(scope.size(), 2u);
    first.notify();
    EXPECT_EQ(scope.size(), 1u);
  }

  second.notify();

  EXPECT_EQ(count, 1);
}

}  // namespace
}  // namespace fairlead
