#include "acme/order_threads.h"

#include <pthread.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <csignal>
#include <iterator>
#include <system_error>

namespace fairlead::acme {

void enter_thread(const char* name) {
  sigset_t all;
  sigfillset(&all);
  ::pthread_sigmask(SIG_BLOCK, &all, nullptr);
  ::pthread_setname_np(::pthread_self(), name);
}

void OrderThreads::add(Job job) {
  Threads ended;  // joined after the lock is gone: the last step of such a thread is to let go of it
  const std::lock_guard lock(mutex_);
  if (stopped_) return;
  jobs_.push_back(std::move(job));
  ended.swap(ended_);
  call_another();
  wake_.notify_one();
}

// Somebody is there for the next job, as soon as its turn comes.
void OrderThreads::call_another() {
  if (jobs_.empty() || waiting_ > 0 || threads_.size() >= limits_.in_all) return;
  const auto self = threads_.emplace(threads_.end());
  try {
    *self = std::jthread([this, self](const std::stop_token& stop) {
      enter_thread("acme-order");
      run(stop, self);
    });
  } catch (const std::system_error& problem) {
    // A container may have few: those there are take the job when they are done with theirs.
    threads_.erase(self);
    spdlog::warn("only {} orders run side by side, no further thread can be had: {}", threads_.size(),
                 problem.what());
    return;
  }
  // Counted from now on, so that a burst of jobs does not call one for each.
  ++waiting_;
}

// When the next job may begin.
TimePoint OrderThreads::next_turn(TimePoint now) const {
  if (running_.size() < limits_.at_once) return now;
  // The youngest at_once of them count.
  return std::max(
      now, *std::prev(running_.end(), static_cast<std::ptrdiff_t>(limits_.at_once)) + limits_.patience);
}

void OrderThreads::run(const std::stop_token& stop, Threads::iterator self) {
  std::unique_lock lock(mutex_);
  while (!stop.stop_requested()) {
    if (!wake_.wait_for(lock, stop, limits_.idle, [this] { return !jobs_.empty(); })) break;
    const TimePoint now = std::chrono::steady_clock::now();
    if (const TimePoint turn = next_turn(now); turn > now) {
      // A job that ends meanwhile has a thread that takes the next one.
      wake_.wait_until(lock, stop, turn, [] { return false; });
      continue;
    }
    Job job = std::move(jobs_.front());
    jobs_.pop_front();
    --waiting_;
    call_another();
    const auto begun = running_.insert(now);
    lock.unlock();
    job(stop);
    job = nullptr;
    lock.lock();
    running_.erase(begun);
    ++waiting_;
  }
  --waiting_;
  if (!stopped_) ended_.splice(ended_.end(), threads_, self);
}

void OrderThreads::stop() {
  Threads threads;
  Threads ended;
  std::deque<Job> dropped;
  {
    const std::lock_guard lock(mutex_);
    stopped_ = true;
    threads.swap(threads_);
    ended.swap(ended_);
    dropped.swap(jobs_);
  }
  for (std::jthread& thread : threads) thread.request_stop();
}

}  // namespace fairlead::acme
