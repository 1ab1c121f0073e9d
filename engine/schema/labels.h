#pragma once

#include "engine/schema/problem.h"

#include <map>
#include <string>

namespace fairlead::schema {

using Labels = std::map<std::string, std::string, std::less<>>;

// Reads the labels of one container into one tree: children `http`, `tcp`, `udp`, `tls`, `docker`,
// `swarm`, `enable`, and the short forms `host`, `port`, `path`, `auth` (only below `fairlead.`).
//
// `traefik.…` and `fairlead.…` are the same schema; where both set one key, `fairlead.` wins. Labels
// of other prefixes are not ours. Each label that cannot be read is one problem, with the segments
// up to where it is good, so that the element it meant can be marked broken; all others count.
Node read_labels(const Labels& labels, const std::string& source, Problems& problems);

}  // namespace fairlead::schema
