#pragma once

#include "engine/model/reason.h"
#include "engine/routing/rule_set.h"

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace fairlead::runtime {

// Tells the routers of one table that get no request because another one with the same rule and priority
// comes first. A provider that chose between its own has told them already.
class Rivals {
 public:
  // What is given must outlive this.
  void add(const std::string& name, std::string_view rule, const routing::Standing& standing,
           std::vector<model::Reason>& reasons);

 private:
  struct Router {
    const std::string* name;
    routing::Standing standing;
    std::vector<model::Reason>* reasons;
  };

  static void tell(const Router& loser, const Router& first);

  std::map<std::pair<std::int64_t, std::string_view>, Router> first_;
};

}  // namespace fairlead::runtime
