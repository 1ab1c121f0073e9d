#pragma once

#include "engine/model/dynamic.h"

#include <string>
#include <string_view>
#include <vector>

namespace fairlead::model {

// One thing that is wrong with one element. Looks into the configuration it was found in.
struct Complaint {
  std::string_view kind;  // "TCP router"
  std::string_view name;
  const schema::Origin* origin;
  const Reason* reason;

  // "router web@docker (container shop-1): …; did you mean …?"
  std::string text() const;
  // Whether both say the same of the same element; where it stands does not count.
  bool same_as(const Complaint& other) const;
};

// Everything wrong with the elements of a configuration, of whatever kind: what the log says, and `check`.
std::vector<Complaint> complaints(const Dynamic& dynamic);
// Those of them that `before` had not.
std::vector<Complaint> new_complaints(const Dynamic& dynamic, const Dynamic& before);

}  // namespace fairlead::model
