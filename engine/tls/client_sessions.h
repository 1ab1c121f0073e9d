#pragma once

#include "engine/tls/pointers.h"

#include <memory>
#include <string>

namespace fairlead::tls {

// Sessions with servers, so that the next connection costs no certificates (RFC 8446 §2.2). Belongs to one
// client context: a session was verified by its rules, and is worth nothing under others. Shared by all
// workers.
class ClientSessions {
 public:
  ClientSessions();
  ~ClientSessions();
  ClientSessions(const ClientSessions&) = delete;
  ClientSessions& operator=(const ClientSessions&) = delete;

  // Connections of that context leave their sessions here. Once, before the first connection.
  static void gather_from(SSL_CTX* context);
  // `ssl` resumes a session with `server` where there is one, and leaves the next one here; it may outlive
  // whoever else holds `sessions`.
  static void use(const std::shared_ptr<ClientSessions>& sessions, SSL* ssl, const std::string& server);

 private:
  struct Kept;
  static int on_new(SSL* ssl, SSL_SESSION* session);

  std::unique_ptr<Kept> kept_;
};

}  // namespace fairlead::tls
