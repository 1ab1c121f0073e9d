#pragma once

#include "engine/base/clock.h"
#include "engine/net/bind_address.h"

#include <future>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace fairlead::runtime {

// Where to bind for entry points whose host is a name. The control thread has more to do than to wait for
// name servers that are slow or never answer: each name is looked up on a thread of its own, which goes on
// when nobody waits for it any more. For one thread.
class ListenNames {
 public:
  using Places = Result<std::vector<net::BindAddress>>;
  using LookUp = Places (*)(const net::ListenAddress&);

  explicit ListenNames(LookUp look_up = net::bind_addresses) : look_up_(look_up) {}

  // Waits for the answer until `patience` at most. A name that was not found rests for a second, then two, up
  // to a minute, unless it is asked for `anew`, since the configuration changed. Errors: {500, Proxy}.
  Places find(const net::ListenAddress& address, TimePoint patience, bool anew);

  void forget() { asked_.clear(); }

 private:
  struct Asked {
    std::future<Places> under_way;
    std::optional<Places> answer;
    TimePoint until{};  // the answer counts
    Duration pause{};
  };

  std::future<Places> ask(const net::ListenAddress& address) const;

  LookUp look_up_;
  std::map<std::string, Asked> asked_;  // by address
};

}  // namespace fairlead::runtime
