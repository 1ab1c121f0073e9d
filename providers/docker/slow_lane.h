#pragma once

#include "engine/base/clock.h"
#include "providers/docker/client.h"

#include <chrono>
#include <condition_variable>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace fairlead::providers::docker {

// Inspects the containers about which an engine takes its time, a few at once and beside the calls of a
// Watcher: neither the others nor they themselves wait for one that hangs. What it was given it tries until
// the engine has said something of it; what was slow it keeps for the next time.
class SlowLane {
 public:
  static constexpr std::chrono::seconds kQuick{1};  // what takes longer belongs here

  struct Answer {
    std::string id;
    std::optional<Container> container;  // nothing: not found
    bool first = false;                  // as it was given, unless something happened to it since
    TimePoint asked;
  };
  using Answered = std::function<void(Answer)>;  // on any thread; one answer at a time

  // `retry`: how long after the first failure of a container it is asked again; doubled up to `longest`.
  SlowLane(const Endpoint& endpoint, std::chrono::milliseconds timeout, Duration retry, Duration longest,
           Answered answered);
  ~SlowLane();

  // One that is being asked already is asked again afterwards, since that answer may be older.
  void take(const std::string& id, std::string_view version, bool first);
  bool holds(const std::string& id) const;
  void forget();  // but what it is asking: the engine is gone, and everything will be given anew
  void stop();    // joins within milliseconds

 private:
  struct Work {
    enum class State : unsigned char { Due, Asked, Rests };
    State state = State::Due;
    TimePoint at;        // when it is due
    bool again = false;  // given anew while it is asked
    bool first = false;
    Duration retry{};
    std::string said;  // the last failure, told once
  };
  struct Lane {
    std::unique_ptr<Client> client;
    std::thread thread;
  };

  void work(Client& client);
  void ask(std::unique_lock<std::mutex>& lock, Client& client, const std::string& id);
  std::map<std::string, Work>::iterator next_due();
  void open_lane();

  const Endpoint endpoint_;
  const std::chrono::milliseconds timeout_;
  const Duration retry_, longest_;
  const Answered answered_;

  mutable std::mutex mutex_;
  std::condition_variable wake_;
  bool stopping_ = false;
  std::size_t idle_ = 0;  // lanes that wait
  std::string version_;
  std::map<std::string, Work> works_;
  std::vector<Lane> lanes_;
};

}  // namespace fairlead::providers::docker
