#include "engine/model/entry_points.h"

#include "engine/base/strings.h"
#include "engine/model/service_ports.h"

#include <charconv>

namespace fairlead::model {

std::optional<ListenAddress> parse_listen_address(std::string_view text) {
  ListenAddress out;
  if (const std::size_t slash = text.rfind('/'); slash != std::string_view::npos) {
    const std::string_view protocol = text.substr(slash + 1);
    out.udp = iequals(protocol, "udp");
    if (!out.udp && !iequals(protocol, "tcp")) return std::nullopt;
    text = text.substr(0, slash);
  }
  const std::size_t colon = text.rfind(':');
  if (colon == std::string_view::npos) return std::nullopt;
  std::string_view host = text.substr(0, colon);
  if (host.starts_with('[')) {
    if (!host.ends_with(']') || host.size() < 3) return std::nullopt;
    host = host.substr(1, host.size() - 2);
  } else if (host.find_first_of(":[]* \t") != std::string_view::npos) {
    return std::nullopt;
  }
  const std::string_view port = text.substr(colon + 1);
  const auto [end, error] = std::from_chars(port.data(), port.data() + port.size(), out.port);
  if (port.empty() || error != std::errc{} || end != port.data() + port.size()) {
    const std::optional<std::uint16_t> named = service_port(port);
    if (!named) return std::nullopt;
    out.port = *named;
  }
  out.host = host;
  return out;
}

}  // namespace fairlead::model
