#pragma once

#include "providers/docker/catalog.h"

#include <condition_variable>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace fairlead::providers::docker {

// Tries addresses at once: connects, and with `ask_http` sends a request. Takes at most `patience`.
// The results are in the order of the jobs and their targets.
std::vector<std::vector<ProbeResult>> probe(const std::vector<ProbeJob>& jobs, Duration patience);

// Tries the ports of starting containers every 100 ms on a thread of its own, so that slow answers delay
// nothing else. A request that was sent is not repeated while its answer is awaited.
class Prober {
 public:
  using Found = std::function<void(const ProbeJob&, std::vector<ProbeResult>)>;

  explicit Prober(Found found) : found_(std::move(found)) {}  // called on the prober's thread
  ~Prober() { stop(); }

  void start();
  void stop();
  void set_jobs(std::vector<ProbeJob> jobs);  // replaces those before

 private:
  void run();

  const Found found_;
  std::thread thread_;
  std::mutex mutex_;
  std::condition_variable wake_;
  std::vector<ProbeJob> jobs_;
  bool stopping_ = false;
};

}  // namespace fairlead::providers::docker
