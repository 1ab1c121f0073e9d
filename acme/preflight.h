#pragma once

#include "engine/tls/challenge_table.h"

#include <condition_variable>
#include <deque>
#include <map>
#include <mutex>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

namespace fairlead::acme {

// What can be looked at before the first order of a name without costing anything at the authority: whether
// the name has an address, and whether an HTTP-01 answer of ours can be reached under it. Findings are told
// and keep nothing from being ordered: what is seen from here need not be what the authority sees.
class Preflight {
 public:
  struct Question {
    std::string name;
    std::vector<std::string> resolvers;  // DNS servers; empty: the system's
    bool by_http = false;                // HTTP-01 will be used
  };

  explicit Preflight(tls::Challenges& challenges) : challenges_(challenges) {}
  ~Preflight() { stop(); }

  // Begins to look, on a thread of its own. Any thread; when many wait already, it is not looked at.
  void ask(Question question);
  // What was found, in one sentence; empty: nothing, or not yet.
  std::string finding(const std::string& name) const;
  void forget(const std::string& name);
  void stop();

 private:
  void run(std::stop_token stop);
  std::string look(const Question& question, std::stop_token stop) const;

  tls::Challenges& challenges_;
  mutable std::mutex mutex_;  // guards what follows
  std::condition_variable_any wake_;
  std::deque<Question> waiting_;
  std::map<std::string, std::string> findings_;
  bool stopped_ = false;
  std::jthread thread_;
};

}  // namespace fairlead::acme
