#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace fairlead::model {

// The port of a service by its name of /etc/services (`https`, `submission`), in any case; the same for TCP
// and UDP. The names are built in, because images rarely have that file.
std::optional<std::uint16_t> service_port(std::string_view name);

// The nearest name that has a port, or empty.
std::string nearest_service_name(std::string_view written);

}  // namespace fairlead::model
