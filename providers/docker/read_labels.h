#pragma once

#include "engine/model/dynamic.h"
#include "engine/schema/labels.h"
#include "providers/docker/own_labels.h"
#include "providers/docker/settings.h"

#include <string>

namespace fairlead::providers::docker {

struct ReadLabels {
  OwnLabels own;
  model::Dynamic dynamic;
};

// Everything a container's or service's labels say, short forms included. `name` is its default name. A label
// whose key cannot be read breaks the router or middleware it names, as far as it names one, and is a warning
// elsewhere.
ReadLabels read_labels(const schema::Labels& labels, const std::string& source, const std::string& name,
                       const Settings& settings);

}  // namespace fairlead::providers::docker
