#pragma once

#include "engine/base/clock.h"

#include <condition_variable>
#include <deque>
#include <mutex>
#include <optional>

namespace fairlead {

// A queue of values between control threads; a worker never waits on one.
template <class T>
class Channel {
 public:
  void push(T value) {
    {
      const std::lock_guard lock(mutex_);
      if (closed_) return;
      values_.push_back(std::move(value));
    }
    filled_.notify_one();
  }

  // Waits for a value until `deadline`; nothing when it passes or when the channel is closed and empty.
  std::optional<T> pop_until(TimePoint deadline) {
    std::unique_lock lock(mutex_);
    filled_.wait_until(lock, deadline, [this] { return !values_.empty() || closed_; });
    return take();
  }

  std::optional<T> pop() {
    std::unique_lock lock(mutex_);
    filled_.wait(lock, [this] { return !values_.empty() || closed_; });
    return take();
  }

  // Wakes every waiter; values already queued can still be taken.
  void close() {
    {
      const std::lock_guard lock(mutex_);
      closed_ = true;
    }
    filled_.notify_all();
  }

  bool closed() const {
    const std::lock_guard lock(mutex_);
    return closed_;
  }

 private:
  std::optional<T> take() {
    if (values_.empty()) return std::nullopt;
    std::optional<T> value(std::move(values_.front()));
    values_.pop_front();
    return value;
  }

  mutable std::mutex mutex_;
  std::condition_variable filled_;
  std::deque<T> values_;
  bool closed_ = false;
};

}  // namespace fairlead
