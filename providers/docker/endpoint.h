#pragma once

#include "engine/model/client_tls.h"
#include "providers/transfer.h"

#include <expected>
#include <functional>
#include <optional>
#include <string>

namespace fairlead::providers::docker {

// Where an engine listens and how it is spoken to.
struct Endpoint {
  Reach reach;
  std::string shown;        // as configured, without user information, for messages
  std::string host;         // of tcp, http(s) and ssh; empty for unix
  bool local = true;        // a unix socket or a loopback address
  std::string api_version;  // DOCKER_API_VERSION: no negotiation
};

using Environment = std::function<std::optional<std::string>(const char* name)>;

// Reads unix:///path, tcp://host:port, http(s)://host:port/base and ssh://user@host[:port][/socket].
// Without `configured`, DOCKER_HOST, DOCKER_TLS_VERIFY, DOCKER_CERT_PATH and DOCKER_API_VERSION count, then
// unix:///var/run/docker.sock.
std::expected<Endpoint, std::string> resolve_endpoint(const std::optional<std::string>& configured,
                                                      const std::optional<model::ClientTls>& tls,
                                                      const std::string& username,
                                                      const std::string& password,
                                                      const Environment& environment);

}  // namespace fairlead::providers::docker
