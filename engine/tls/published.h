#pragma once

#include <memory>
#include <mutex>
#include <utility>

namespace fairlead::tls {

// One immutable value that any thread reads and replaces. Read once per handshake, where a lock of two
// instructions' length does not show.
template <class T>
class Published {
 public:
  explicit Published(std::shared_ptr<const T> first) : value_(std::move(first)) {}

  std::shared_ptr<const T> get() const {
    const std::lock_guard lock(mutex_);
    return value_;
  }
  void set(std::shared_ptr<const T> next) {
    const std::lock_guard lock(mutex_);
    value_.swap(next);
  }

 private:
  mutable std::mutex mutex_;
  std::shared_ptr<const T> value_;
};

}  // namespace fairlead::tls
