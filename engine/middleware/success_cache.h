#pragma once

#include "engine/middleware/keyed_hash.h"

#include <cstddef>
#include <deque>
#include <mutex>
#include <set>
#include <string_view>

namespace fairlead::middleware {

// Passwords that were verified lately, so that each request of a browser does not cost a bcrypt. Only
// successes are kept, and only as keyed digests of user, hash and password: a user whose hash changed is
// verified anew. Shared by all workers under a short lock.
class SuccessCache {
 public:
  using Key = KeyedHash::Digest;

  explicit SuccessCache(std::size_t most = 4096) : most_(most) {}

  static Key key(std::string_view user, std::string_view hash, std::string_view password) {
    return KeyedHash::shared().of({"success", user, hash, password});
  }
  bool knows(const Key& key) const {
    const std::lock_guard lock(mutex_);
    return keys_.contains(key);
  }
  void remember(const Key& key) {
    const std::lock_guard lock(mutex_);
    if (!keys_.insert(key).second) return;
    order_.push_back(key);
    if (order_.size() <= most_) return;
    keys_.erase(order_.front());
    order_.pop_front();
  }
  std::size_t size() const {
    const std::lock_guard lock(mutex_);
    return keys_.size();
  }

 private:
  const std::size_t most_;
  mutable std::mutex mutex_;
  std::set<Key> keys_;
  std::deque<Key> order_;  // oldest first
};

}  // namespace fairlead::middleware
