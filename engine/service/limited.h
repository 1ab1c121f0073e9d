#pragma once

#include "engine/base/task.h"
#include "engine/event/loop.h"
#include "engine/event/timer.h"

namespace fairlead::service {

// Runs a task until it ends or its time is up; then it is cancelled.
class Limited final : Completion, event::TimerUser, event::TickHook {
 public:
  Limited(event::Loop& loop, Duration time, Task<void> task)
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
  void on_timer(event::Timer&) override { end(); }
  void on_tick_end() override { signal_.notify(); }

  event::Loop& loop_;
  event::Timer timer_;
  Signal signal_;
  bool over_ = false;
  Task<void> task_;
};

}  // namespace fairlead::service
