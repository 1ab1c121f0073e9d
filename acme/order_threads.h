#pragma once

#include "engine/base/clock.h"

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <list>
#include <mutex>
#include <set>
#include <stop_token>
#include <thread>

namespace fairlead::acme {

// Threads that carry out orders side by side. Most of an order is waiting: for the authority to validate, for
// DNS to show a record, for a hook to end. So what has run for longer than `patience` does not count any
// more, and the next one begins beside it: names that hang delay no other, and an authority is still asked
// for no more than `at_once` new orders per `patience`.
class OrderThreads {
 public:
  using Job = std::move_only_function<void(std::stop_token)>;

  struct Limits {
    std::size_t at_once = 8;
    // Threads: what begins in the four minutes in which an order that hangs is given up.
    std::size_t in_all = 2048;
    Duration patience = std::chrono::seconds(1);  // Let's Encrypt takes 20 new orders a second of an address
    Duration idle = std::chrono::minutes(1);      // a thread without work ends then
  };

  OrderThreads() : OrderThreads(Limits()) {}
  explicit OrderThreads(Limits limits) : limits_(limits) {}
  ~OrderThreads() { stop(); }
  OrderThreads(const OrderThreads&) = delete;
  OrderThreads& operator=(const OrderThreads&) = delete;

  // Jobs begin in the order they came. Any thread; after stop() they are dropped.
  void add(Job job);
  // Asks what runs to stop, and returns when it has. What waits is dropped.
  void stop();

 private:
  using Threads = std::list<std::jthread>;

  void run(const std::stop_token& stop, Threads::iterator self);
  // With mutex_ held.
  TimePoint next_turn(TimePoint now) const;
  void call_another();

  const Limits limits_;
  std::mutex mutex_;  // guards what follows
  std::condition_variable_any wake_;
  std::deque<Job> jobs_;
  std::multiset<TimePoint> running_;  // when each job that runs began
  std::size_t waiting_ = 0;           // threads without a job
  bool stopped_ = false;
  Threads threads_;
  Threads ended_;  // to be joined
};

// For threads of this wing: no signals, and a name that shows where threads are listed (at most 15 letters).
void enter_thread(const char* name);

}  // namespace fairlead::acme
