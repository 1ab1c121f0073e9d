#pragma once

#include "providers/docker/catalog.h"
#include "providers/docker/endpoint.h"

#include <optional>
#include <string>
#include <string_view>

namespace fairlead::providers::docker {

// What this process can see of where it stands: its own container, whether the engine is on this machine, and
// where ports of containers in host mode answer (loopback on the host itself; from inside a container
// host.docker.internal, host.containers.internal, else the default gateway). Looks names up.
Place look_around(const Endpoint& endpoint);

// The default gateway in the text of /proc/net/route, where addresses are hexadecimal in host order.
std::optional<std::string> default_gateway(std::string_view routes);

}  // namespace fairlead::providers::docker
