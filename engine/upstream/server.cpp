#include "engine/upstream/server.h"

#include "engine/base/strings.h"
#include "engine/http/user_info.h"

#include <fmt/format.h>

namespace fairlead::upstream {

Configured<ServerAddress> ServerAddress::parse(std::string_view url) {
  const auto refuse = [&](std::string_view why) {
    return misconfigured("url", fmt::format("{} in {}", why, quoted(http::without_user_info(url))));
  };
  ServerAddress address;
  address.url = url;
  const auto colon = url.find("://");
  if (colon == std::string_view::npos) return refuse("no scheme (http, https or h2c)");
  const std::string scheme = lower(url.substr(0, colon));
  if (scheme == "http")
    address.scheme = Scheme::Http;
  else if (scheme == "https")
    address.scheme = Scheme::Https;
  else if (scheme == "h2c")
    address.scheme = Scheme::H2c;
  else
    return refuse("a scheme other than http, https and h2c");
  std::string_view rest = url.substr(colon + 3);
  const auto slash = rest.find_first_of("/?#");
  if (slash != std::string_view::npos && rest[slash] == '/')
    address.path = rest.substr(slash, rest.find_first_of("?#", slash) - slash);
  while (address.path.ends_with('/')) address.path.pop_back();
  std::string_view authority = rest.substr(0, slash);
  if (authority.find('@') != std::string_view::npos)
    return misconfigured("url", fmt::format("the user name in {} would not be sent: leave it out, and set "
                                            "customRequestHeaders.Authorization in a headers middleware",
                                            quoted(http::without_user_info(url))));
  std::string_view port;
  if (authority.starts_with('[')) {
    const auto end = authority.find(']');
    if (end == std::string_view::npos) return refuse("an unfinished IPv6 address");
    address.host = authority.substr(1, end - 1);
    port = authority.substr(end + 1);
    if (!port.empty() && !port.starts_with(':')) return refuse("text after the IPv6 address");
    if (!port.empty()) port.remove_prefix(1);
    if (!net::Ip::parse(address.host)) return refuse("no IPv6 address");
  } else {
    const auto at = authority.find(':');
    address.host = authority.substr(0, at);
    if (at != std::string_view::npos) {
      port = authority.substr(at + 1);
      if (port.empty()) return refuse("an empty port");
    }
  }
  if (address.host.empty()) return refuse("no host");
  for (const char c : address.host)
    if (static_cast<unsigned char>(c) <= 0x20 || c == 0x7f || c == '%' || c == '\\')
      return refuse("no valid host");
  address.port = address.scheme == Scheme::Https ? 443 : 80;
  if (!port.empty()) {
    const auto number = parse_digits(port);
    if (!number || *number == 0 || *number > 65535) return refuse("no valid port");
    address.port = static_cast<std::uint16_t>(*number);
  }
  address.ip = net::Ip::parse(address.host);
  const bool v6 = address.host.find(':') != std::string::npos;
  address.host_port = fmt::format("{}{}{}{}", v6 ? "[" : "", address.host, v6 ? "]" : "",
                                  port.empty() ? "" : fmt::format(":{}", address.port));
  return address;
}

}  // namespace fairlead::upstream
