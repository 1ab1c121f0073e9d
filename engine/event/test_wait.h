#pragma once

#include "engine/base/task.h"
#include "engine/event/loop.h"

#include <gtest/gtest.h>

#include <chrono>

// For unit tests only: tasks that end some time.
namespace fairlead::test {

struct Outcome : Completion {
  bool done = false;
  void task_done() override { done = true; }
};

// Turns the loop until then, at most 20 s.
inline void run_until(event::Loop& loop, const bool& done) {
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  while (!done && std::chrono::steady_clock::now() < deadline) loop.run_once(std::chrono::milliseconds(10));
  ASSERT_TRUE(done) << "nothing came in 20 s";
}

// What the task brings.
template <class T>
T wait(event::Loop& loop, Task<T> task) {
  if (task.done()) return task.take();
  Outcome outcome;
  task.start(&outcome);
  run_until(loop, outcome.done);
  FL_ASSERT(outcome.done, "it ends");
  return task.take();
}

}  // namespace fairlead::test
