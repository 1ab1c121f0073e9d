#pragma once

#include "engine/base/result.h"
#include "engine/model/servers_transport.h"
#include "engine/tls/client_sessions.h"
#include "engine/tls/files.h"
#include "engine/tls/pointers.h"

#include <expected>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace fairlead::tls {

// TLS toward servers: the TLS part of a serversTransport, as an SSL_CTX. Immutable, shared by all workers.
class ClientContext {
 public:
  // The error names the option: a transport whose verification cannot be built is not used without it.
  static Configured<std::shared_ptr<const ClientContext>> make(const model::ServersTransport& options,
                                                               Files& files);
  static Configured<std::shared_ptr<const ClientContext>> make(const model::TcpClientTls& options,
                                                               Files& files);

  // An SSL that will verify a server called `host` (or serverName), by name or address; it resumes the last
  // session with that host.
  Result<SslPtr> begin(const std::string& host) const;
  // After the handshake: the names asked for by peerCertURI and peerCertSANs. {500, Upstream} when one is
  // missing.
  Result<> check(SSL* ssl) const;
  // What of the options was skipped.
  const std::vector<std::string>& notices() const { return notices_; }

 private:
  ClientContext() = default;
  Configured<> trust(const std::vector<std::string>& root_cas, Files& files);
  Configured<> identify(const std::vector<model::KeyPair>& certificates, Files& files);

  ContextPtr context_;
  std::shared_ptr<ClientSessions> sessions_ = std::make_shared<ClientSessions>();
  std::string server_name_;
  bool insecure_ = false;
  std::string uri_;
  std::vector<model::PeerSan> sans_;
  std::vector<std::string> notices_;
};

}  // namespace fairlead::tls
