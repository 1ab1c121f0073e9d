#include "providers/docker/endpoint.h"

#include "engine/base/strings.h"

#include <fmt/format.h>

namespace fairlead::providers::docker {
namespace {

constexpr const char* kDefault = "unix:///var/run/docker.sock";

// Host of "user@host:port" or "[::1]:port".
std::string host_of(std::string_view authority) {
  if (const auto at = authority.rfind('@'); at != std::string_view::npos) authority.remove_prefix(at + 1);
  if (authority.starts_with('[')) return std::string(authority.substr(1, authority.find(']') - 1));
  return std::string(authority.substr(0, authority.rfind(':')));
}

bool is_loopback(std::string_view host) {
  return host == "localhost" || host == "::1" || host.starts_with("127.");
}

// The options of `ssh` for "user@host:port", then what runs on the other side.
std::expected<std::vector<std::string>, std::string> ssh_command(std::string_view authority,
                                                                 std::string_view socket) {
  std::string user;
  if (const auto at = authority.rfind('@'); at != std::string_view::npos) user = authority.substr(0, at);
  if (user.find(':') != std::string::npos) return std::unexpected("an ssh endpoint must not hold a password");
  const std::string host = host_of(authority);
  // A leading dash would be read as an option.
  if (host.empty() || host[0] == '-' || user.starts_with('-'))
    return std::unexpected("the ssh endpoint has no host");
  // Events are silent for hours: the client itself must notice that the other side is gone.
  std::vector<std::string> out{"ssh", "-o", "ConnectTimeout=30", "-o", "ServerAliveInterval=30", "-T"};
  if (!user.empty()) out.insert(out.end(), {"-l", user});
  const auto colon = authority.rfind(':');
  if (colon != std::string_view::npos && authority.find(']', colon) == std::string_view::npos) {
    if (!parse_digits(authority.substr(colon + 1)))
      return std::unexpected("the ssh endpoint's port is no number");
    out.insert(out.end(), {"-p", std::string(authority.substr(colon + 1))});
  }
  out.insert(out.end(), {"--", host, "docker"});
  if (!socket.empty() && socket != "/") out.push_back(fmt::format("--host=unix://{}", socket));
  out.insert(out.end(), {"system", "dial-stdio"});
  return out;
}

}  // namespace

std::expected<Endpoint, std::string> resolve_endpoint(const std::optional<std::string>& configured,
                                                      const std::optional<model::ClientTls>& tls,
                                                      const std::string& username,
                                                      const std::string& password,
                                                      const Environment& environment) {
  Endpoint out;
  out.reach.username = username;
  out.reach.password = password;
  if (tls) out.reach.tls = *tls;
  bool secure = tls.has_value();
  std::string text = configured.value_or("");
  if (text.empty()) {
    text = environment("DOCKER_HOST").value_or("");
    out.api_version = environment("DOCKER_API_VERSION").value_or("");
    if (out.api_version.starts_with('v')) out.api_version.erase(0, 1);  // as Docker's own client
    const std::string verify = environment("DOCKER_TLS_VERIFY").value_or("");
    if (const auto path = environment("DOCKER_CERT_PATH"); path && !path->empty() && !secure) {
      out.reach.tls = {*path + "/ca.pem", *path + "/cert.pem", *path + "/key.pem", verify.empty()};
      secure = true;
    }
    if (text.empty()) text = kDefault;
  }

  const std::size_t scheme_end = text.find("://");
  if (scheme_end == std::string::npos)
    return std::unexpected(fmt::format("\"{}\" is no endpoint; write unix:///path or tcp://host:port", text));
  const std::string scheme = lower(text.substr(0, scheme_end));
  const std::string rest = text.substr(scheme_end + 3);
  if (scheme == "unix") {
    if (rest.empty()) return std::unexpected(fmt::format("\"{}\" names no socket; write {}", text, kDefault));
    out.reach.unix_socket = rest;
    out.reach.base = "http://docker";
    out.shown = text;
    return out;
  }
  if (scheme != "tcp" && scheme != "http" && scheme != "https" && scheme != "ssh")
    return std::unexpected(fmt::format("{}:// is not supported; unix, tcp, http, https and ssh are", scheme));
  const std::size_t slash = std::min(rest.find('/'), rest.size());
  const std::string authority = rest.substr(0, slash);
  std::string path = rest.substr(slash);
  while (path.ends_with('/')) path.pop_back();
  out.host = host_of(authority);
  out.local = is_loopback(out.host);
  const auto user_end = authority.rfind('@');
  const std::string place = user_end == std::string::npos ? authority : authority.substr(user_end + 1);
  out.shown = fmt::format("{}://{}{}", scheme, place, path);
  if (out.host.empty()) return std::unexpected(fmt::format("\"{}\" has no host", out.shown));
  if (scheme == "ssh") {
    auto command = ssh_command(authority, path);
    if (!command) return std::unexpected(command.error());
    out.reach.ssh = std::move(*command);
    out.reach.base = "http://docker";
    out.reach.tls = {};
    out.reach.username.clear();
    return out;
  }
  out.reach.base =
      (scheme == "https" || (scheme == "tcp" && secure) ? "https://" : "http://") + authority + path;
  return out;
}

}  // namespace fairlead::providers::docker
