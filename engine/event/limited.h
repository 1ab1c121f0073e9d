#pragma once

#include "engine/base/clock.h"
#include "engine/base/task.h"
#include "engine/event/loop.h"
#include "engine/event/timer.h"

#include <optional>
#include <utility>

namespace fairlead::event {

// Runs a task until it ends or its time is up; then it is cancelled.
class Limited final : Completion, TimerUser, TickHook {
 public:
  Limited(Loop& loop, Duration time, Task<void> task)
      : loop_(loop), timer_(loop.timers(), *this), task_(std::move(task)) {
    timer_.arm(loop.now() + time);
  }

  Task<void> run() {
    task_.start(this);
    while (!over_) co_await signal_.wait();
    task_.cancel();
  }

 private:
  // Resumed when the tick ends: nothing of the task is on the stack any more.
  void end() {
    over_ = true;
    loop_.at_tick_end(*this);
  }
  void task_done() override { end(); }
  void on_timer(Timer&) override { end(); }
  void on_tick_end() override { signal_.notify(); }

  Loop& loop_;
  Timer timer_;
  Signal signal_;
  bool over_ = false;
  Task<void> task_;
};

template <class T>
Task<void> keep(Task<T> task, std::optional<T>& result) {
  result.emplace(co_await std::move(task));
}

// What the task brings; nothing when it has not by `due`. One that is done already costs no timer.
template <class T>
Task<std::optional<T>> by(Loop& loop, TimePoint due, Task<T> task) {
  std::optional<T> result;
  if (task.done() || due == TimePoint::max()) {
    result.emplace(co_await std::move(task));
    co_return result;
  }
  Limited limited(loop, due - loop.now(), keep(std::move(task), result));
  co_await limited.run();
  co_return result;
}

}  // namespace fairlead::event
