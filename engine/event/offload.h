#pragma once

#include "engine/base/result.h"
#include "engine/base/task.h"
#include "engine/event/loop.h"

#include <array>
#include <atomic>
#include <condition_variable>
#include <coroutine>
#include <cstddef>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>
#include <type_traits>
#include <utility>
#include <vector>

namespace fairlead::event {

// Kinds of blocking work. Each has threads and a queue of its own, so that a flood of one kind (password
// guesses) delays nothing of another.
enum class Lane : unsigned char { Names, Hashes, Files };

namespace detail {

template <class T>
struct Flat {
  using type = T;
};
template <class T>
struct Flat<Result<T>> {
  using type = T;
};

// One piece of work between a worker and a lane. The lane fills in the outcome and posts the job back; the
// worker may lose interest at any moment before.
class Job : public std::enable_shared_from_this<Job> {
 public:
  virtual ~Job() = default;

  // The lane's thread.
  void run_and_post();

  // The worker's thread: resumes once the outcome is there. Destroying it gives the outcome up.
  class Wait {
   public:
    Wait(Job& job, Loop& loop) : job_(&job) { job.loop_ = &loop; }
    Wait(const Wait&) = delete;
    Wait& operator=(const Wait&) = delete;
    ~Wait() { job_->abandon(); }
    bool await_ready() const { return false; }
    void await_suspend(std::coroutine_handle<> handle) { job_->waiter_ = handle; }
    void await_resume() {}

   private:
    Job* job_;
  };

 protected:
  virtual void work() = 0;

 private:
  void abandon();

  std::mutex mutex_;
  Loop* loop_ = nullptr;            // guarded by mutex_; null once nobody waits
  std::coroutine_handle<> waiter_;  // the worker's thread only
};

}  // namespace detail

// What would block a worker runs here. Any thread may call; threads start with the first work of their lane.
class Offload {
 public:
  struct Limits {
    std::size_t threads;
    std::size_t queued;  // further work is refused with 503
  };
  struct Lanes {
    // Most of a look-up is waiting, for name servers that may never answer.
    Limits names{.threads = 16, .queued = 1024};
    Limits hashes{.threads = 2, .queued = 64};
    Limits files{.threads = 2, .queued = 4096};
  };

  explicit Offload(const Lanes& lanes);
  Offload();
  // Finishes what runs, drops what waits.
  ~Offload();
  Offload(const Offload&) = delete;
  Offload& operator=(const Offload&) = delete;

  // The one of this process.
  static Offload& shared();

  // Runs `work()` on a thread of `lane` and resumes on the loop's own thread with what it returned (a Result
  // is not wrapped again). `work` owns everything it uses, because it may outlive the awaiting task.
  // Errors: {503, Proxy} when the lane is full.
  template <class F>
  Task<Result<typename detail::Flat<std::invoke_result_t<F&>>::type>> run(Loop& loop, Lane lane, F work) {
    using T = typename detail::Flat<std::invoke_result_t<F&>>::type;
    const auto job = std::make_shared<Work<F, T>>(std::move(work));
    detail::Job::Wait outcome(*job, loop);
    if (!submit(lane, job)) co_return full(lane);
    co_await outcome;
    co_return std::move(*job->outcome);
  }

 private:
  template <class F, class T>
  struct Work final : detail::Job {
    explicit Work(F f) : function(std::move(f)) {}
    void work() override {
      if constexpr (std::is_void_v<std::invoke_result_t<F&>>) {
        function();
        outcome.emplace();
      } else {
        outcome.emplace(function());
      }
    }
    F function;
    std::optional<Result<T>> outcome;
  };
  struct Queue {
    Limits limits{};
    std::mutex mutex;
    std::condition_variable filled;
    std::deque<std::shared_ptr<detail::Job>> jobs;
    std::vector<std::thread> threads;
    std::size_t idle = 0;
    bool closing = false;
  };

  bool submit(Lane lane, std::shared_ptr<detail::Job> job);
  static std::unexpected<Error> full(Lane lane);
  static void serve(Queue& queue);

  std::array<Queue, 3> queues_;
};

}  // namespace fairlead::event
