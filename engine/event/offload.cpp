#include "engine/event/offload.h"

#include <pthread.h>

#include <csignal>

namespace fairlead::event {

void detail::Job::run_and_post() {
  {
    const std::lock_guard lock(mutex_);
    if (!loop_) return;  // given up while it was queued
  }
  work();
  // Held while posting: the loop outlives whoever waits on it, and whoever waits takes this lock to leave.
  const std::lock_guard lock(mutex_);
  if (!loop_) return;
  loop_->post([self = shared_from_this()] {
    if (self->waiter_) std::exchange(self->waiter_, nullptr).resume();
  });
}

void detail::Job::abandon() {
  waiter_ = nullptr;
  const std::lock_guard lock(mutex_);
  loop_ = nullptr;
}

Offload::Offload() : Offload(Lanes{}) {}

Offload::Offload(const Lanes& lanes) {
  queues_[0].limits = lanes.names;
  queues_[1].limits = lanes.hashes;
  queues_[2].limits = lanes.files;
}

Offload::~Offload() {
  for (Queue& queue : queues_) {
    {
      const std::lock_guard lock(queue.mutex);
      queue.closing = true;
      queue.jobs.clear();
    }
    queue.filled.notify_all();
    for (std::thread& thread : queue.threads) thread.join();
  }
}

Offload& Offload::shared() {
  static Offload offload;
  return offload;
}

bool Offload::submit(Lane lane, std::shared_ptr<detail::Job> job) {
  Queue& queue = queues_[static_cast<std::size_t>(lane)];
  {
    const std::lock_guard lock(queue.mutex);
    if (queue.closing || queue.jobs.size() >= queue.limits.queued) return false;
    queue.jobs.push_back(std::move(job));
    if (queue.idle < queue.jobs.size() && queue.threads.size() < queue.limits.threads) {
      // Signals are the main thread's business.
      sigset_t all;
      sigset_t before;
      sigfillset(&all);
      pthread_sigmask(SIG_SETMASK, &all, &before);
      queue.threads.emplace_back(&Offload::serve, std::ref(queue));
      pthread_sigmask(SIG_SETMASK, &before, nullptr);
    }
  }
  queue.filled.notify_one();
  return true;
}

std::unexpected<Error> Offload::full(Lane lane) {
  constexpr std::array<const char*, 3> kNames = {"name look-ups", "password hashes", "files"};
  return fail(503, Fault::Proxy,
              std::string("too much waiting for ") + kNames[static_cast<std::size_t>(lane)]);
}

void Offload::serve(Queue& queue) {
  std::unique_lock lock(queue.mutex);
  while (true) {
    ++queue.idle;
    queue.filled.wait(lock, [&] { return queue.closing || !queue.jobs.empty(); });
    --queue.idle;
    if (queue.closing) return;
    const std::shared_ptr<detail::Job> job = std::move(queue.jobs.front());
    queue.jobs.pop_front();
    lock.unlock();
    job->run_and_post();
    lock.lock();
  }
}

}  // namespace fairlead::event
