// Keeps what a provider delivers, and waits for it.
#pragma once

#include "providers/provider.h"

#include <chrono>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

namespace fairlead::test {

class RecordingSink final : public providers::Sink {
 public:
  using Config = std::shared_ptr<const model::Dynamic>;

  void publish(std::string_view, Config config) override {
    const std::lock_guard lock(mutex_);
    last_ = std::move(config);
    ++count_;
    changed_.notify_all();
  }
  void server_state(std::string_view, std::string_view url, model::ServerState state,
                    std::vector<model::Reason>) override {
    const std::lock_guard lock(mutex_);
    states_.emplace_back(url, state);
    changed_.notify_all();
  }

  // Waits until the last configuration fulfils `condition`; its last state after a minute otherwise.
  bool wait_for(const std::function<bool(const model::Dynamic&)>& condition) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, std::chrono::minutes(1), [&] { return last_ && condition(*last_); });
  }
  bool wait_for_state(const std::string& url, model::ServerState state) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, std::chrono::minutes(1), [&] {
      for (const auto& known : states_)
        if (known == std::pair(url, state)) return true;
      return false;
    });
  }
  Config last() const {
    const std::lock_guard lock(mutex_);
    return last_;
  }
  int count() const {
    const std::lock_guard lock(mutex_);
    return count_;
  }

 private:
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  Config last_;
  int count_ = 0;
  std::vector<std::pair<std::string, model::ServerState>> states_;
};

}  // namespace fairlead::test
