#pragma once

#include "engine/model/dynamic.h"
#include "engine/model/static.h"

#include <functional>
#include <string>
#include <vector>

namespace fairlead::acme {

// One certificate that routers ask a resolver for.
struct Wanted {
  std::string resolver;
  std::vector<std::string> names;    // lower case; the first is the common name
  std::vector<std::string> routers;  // who asks: "http/web@docker", "tcp/db@docker", "store/default"
  bool may_order = true;             // false: what there is stays in use, nothing new is ordered
  bool is_default = false;           // of tls.stores.default.defaultGeneratedCert

  bool operator==(const Wanted&) const = default;
};

// What a rule says about hosts; names under `!` are none of its own. Rules are read in a room that this wing
// does not see.
using HostsOfRule =
    std::function<std::vector<std::string>(const std::string& rule, const std::string& syntax, bool tcp)>;

// Names that no authority can certify, of one router.
struct Unusable {
  std::string router;
  std::string what;
};

struct WantedList {
  std::vector<Wanted> certificates;  // equal ones joined
  std::vector<Unusable> unusable;
};

// The certificates of all routers: tls.domains, else the hosts of the rule; of an HTTP router without `tls`
// that of its entry points counts.
WantedList wanted_certificates(const model::Dynamic& dynamic, const model::Static& install,
                               const HostsOfRule& hosts);

// As certificates name it: lower case, without the last dot; empty for what cannot be certified.
std::string certificate_name(std::string_view name);

}  // namespace fairlead::acme
