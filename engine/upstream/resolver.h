#pragma once

#include "engine/base/result.h"
#include "engine/base/task.h"
#include "engine/event/loop.h"
#include "engine/net/address.h"

#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

namespace fairlead::upstream {

// Looks names up for the tasks of one loop. All who want a name while it is being looked up wait for the same
// answer: one that nobody answers for takes one thread of the lane, however many requests there are for it.
class Resolver {
 public:
  // Blocks; called on the lane for names.
  using Ask = Result<std::vector<net::Ip>> (*)(const std::string& host);
  explicit Resolver(Ask ask) : ask_(ask) {}
  Resolver(const Resolver&) = delete;
  Resolver& operator=(const Resolver&) = delete;

  // Answers count for 5 s; failures for those who waited alone.
  Task<Result<std::vector<net::Ip>>> resolve(event::Loop& loop, std::string host);

 private:
  struct Entry;
  class Place;

  std::shared_ptr<Entry> entry_of(const std::string& host);
  static Task<void> look_up(Entry& entry, event::Loop& loop, std::string host, Ask ask);

  const Ask ask_;
  std::unordered_map<std::string, std::shared_ptr<Entry>> known_;
};

// Addresses of a host name by the system's resolver (so /etc/hosts and Docker's DNS count). Errors: {502,
// Upstream, retryable} when there is none.
Task<Result<std::vector<net::Ip>>> resolve(event::Loop& loop, std::string host);

}  // namespace fairlead::upstream
