#pragma once

#include <string_view>

namespace fairlead::observe {

// network.protocol.version of "HTTP/1.1", "HTTP/2.0": "1.1", "2" (OpenTelemetry semantic conventions).
constexpr std::string_view protocol_version(std::string_view protocol) {
  if (protocol.starts_with("HTTP/")) protocol.remove_prefix(5);
  if (protocol.ends_with(".0") && protocol != "1.0") protocol.remove_suffix(2);
  return protocol;
}

}  // namespace fairlead::observe
