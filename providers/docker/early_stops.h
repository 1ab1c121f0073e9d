#pragma once

#include "providers/docker/state.h"

#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace fairlead::providers::docker {

// Signals that an engine told of containers before it said what they are. Whether one is a stop is only known
// with the container, whose stop signal may be any; so each is kept until then.
class EarlyStops {
 public:
  struct Stop {
    std::string signal;
    Moment now;
    WallTime told;
  };

  void add(std::string_view host, std::string_view id, Stop stop);
  std::vector<Stop> take(std::string_view host, std::string_view id);  // they are forgotten here

 private:
  std::map<std::pair<std::string, std::string>, std::vector<Stop>> stops_;  // by host, id
};

}  // namespace fairlead::providers::docker
