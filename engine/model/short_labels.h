#pragma once

#include "engine/schema/node.h"
#include "engine/schema/problem.h"

#include <string>

namespace fairlead::model {

struct Static;

// What the short labels need to know of the install configuration.
struct ShortLabelDefaults {
  std::string cert_resolver;  // the only resolver, or the one named `default`; empty: no HTTPS of its own
  std::string https_port;     // where plain HTTP is redirected to; empty: 443
  bool operator==(const ShortLabelDefaults&) const = default;
};
ShortLabelDefaults short_label_defaults(const Static& install);

// Replaces the short labels of a container by what they stand for. `root` is the tree of its labels, where
// they are the children host, port, path and auth; `name` is the container's default name.
//
//   fairlead.host=a.example.com,b.example.com   router `name`, or the only one that long labels give no rule,
//   for
//                                               these hosts, HTTPS by the resolver; plain HTTP is then
//                                               redirected by a router `name`-http
//   fairlead.port=8080                          port of the only service of the container, else of `name`
//   fairlead.path=/shop                         only requests below this path
//   fairlead.auth=user:hash,…                   basic auth, by the middleware `name`-auth, in front of every
//                                               HTTP router of the container
//
// Long labels win over what short ones say. What cannot be understood breaks the router: it must not stand
// open.
void expand_short_labels(schema::Node& root, const std::string& name, const ShortLabelDefaults& defaults,
                         schema::Problems& problems);

}  // namespace fairlead::model
