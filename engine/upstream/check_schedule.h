#pragma once

#include "engine/base/task.h"
#include "engine/event/loop.h"
#include "engine/upstream/server_state.h"

namespace fairlead::upstream {

// The checks of servers that are under way on one loop. They are bounded: descriptors are for clients.
class RunningChecks {
 public:
  static constexpr int kMost = 256;

  // One of them, until it has ended or is given up.
  class One {
   public:
    explicit One(RunningChecks& all) : all_(all) { ++all_.count_; }
    ~One() { --all_.count_; }
    One(const One&) = delete;
    One& operator=(const One&) = delete;

   private:
    RunningChecks& all_;
  };

  bool full() const { return count_ >= kMost; }

 private:
  int count_ = 0;
};

// When one server is checked. All that it is given must outlive it.
class CheckSchedule {
 public:
  // `unhealthy`: the interval while the server is out.
  CheckSchedule(event::Loop& loop, const RunningChecks& running, const ServerState& server, Duration interval,
                Duration unhealthy);

  // Resumes when a check is due and may begin: an interval after the one before began, or after the
  // construction. Never while the container does not run.
  Task<void> next();

 private:
  event::Loop& loop_;
  const RunningChecks& running_;
  const ServerState& server_;
  const Duration interval_;
  const Duration unhealthy_;
  TimePoint last_;  // when the last check began, or would have
};

}  // namespace fairlead::upstream
