#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <tuple>
#include <typeindex>

namespace fairlead::exchange {

// What outlives a snapshot: balancer positions, rate-limit buckets, breakers, in-flight counters. Keyed by
// kind, qualified name and the hash of the options: a definition that did not change keeps its state, a
// changed one starts afresh. Used while a snapshot is compiled, on the control thread; the state itself says
// how workers share it.
class CarryOver {
 public:
  template <class T>
  std::shared_ptr<T> get(const std::string& name, std::uint64_t options_hash,
                         const std::function<std::shared_ptr<T>()>& make) {
    const std::lock_guard lock(mutex_);
    auto& kept = kept_[Key{std::type_index(typeid(T)), name, options_hash}];
    if (auto alive = std::static_pointer_cast<T>(kept.lock())) return alive;
    std::shared_ptr<T> made = make();
    kept = made;
    return made;
  }
  template <class T>
  std::shared_ptr<T> get(const std::string& name, std::uint64_t options_hash) {
    return get<T>(name, options_hash, [] { return std::make_shared<T>(); });
  }

  // Drops entries whose state no snapshot holds any more. Called after the previous snapshot was dropped; the
  // states of the snapshot before survive because they are fetched while it is still held.
  void sweep() {
    const std::lock_guard lock(mutex_);
    std::erase_if(kept_, [](const auto& entry) { return entry.second.expired(); });
  }

 private:
  using Key = std::tuple<std::type_index, std::string, std::uint64_t>;
  std::mutex mutex_;
  std::map<Key, std::weak_ptr<void>> kept_;
};

}  // namespace fairlead::exchange
