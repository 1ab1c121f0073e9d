#include "engine/tls/client_sessions.h"

#include <chrono>
#include <ctime>
#include <deque>
#include <mutex>
#include <unordered_map>

namespace fairlead::tls {
namespace {

constexpr std::size_t kMaxServers = 1024;
constexpr std::size_t kPerServer = 4;      // a ticket of TLS 1.3 is good for one connection (RFC 8446 §C.4)
constexpr std::time_t kLongestUse = 3600;  // s; then the server shows its certificate again

using SessionPtr = std::unique_ptr<SSL_SESSION, Freed<SSL_SESSION_free>>;

// What a connection remembers of where its sessions go.
struct Origin {
  std::shared_ptr<ClientSessions> sessions;
  std::string server;
};

int origin_index() {
  static const int index = SSL_get_ex_new_index(
      0, nullptr, nullptr, nullptr,
      [](void*, void* origin, CRYPTO_EX_DATA*, int, long, void*) { delete static_cast<Origin*>(origin); });
  return index;
}

bool is_fresh(const SSL_SESSION* session) {
  const std::time_t age = std::time(nullptr) - static_cast<std::time_t>(SSL_SESSION_get_time(session));
  return age >= 0 && age < kLongestUse && age < static_cast<std::time_t>(SSL_SESSION_get_timeout(session)) &&
         SSL_SESSION_is_resumable(session) == 1;
}

}  // namespace

struct ClientSessions::Kept {
  std::mutex mutex;
  std::unordered_map<std::string, std::deque<SessionPtr>> by_server;
};

ClientSessions::ClientSessions() : kept_(std::make_unique<Kept>()) {}
ClientSessions::~ClientSessions() = default;

void ClientSessions::gather_from(SSL_CTX* context) {
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
  SSL_CTX_sess_set_new_cb(context, on_new);
}

void ClientSessions::use(const std::shared_ptr<ClientSessions>& sessions, SSL* ssl,
                         const std::string& server) {
  SSL_set_ex_data(ssl, origin_index(), new Origin{sessions, server});
  Kept& kept = *sessions->kept_;
  const std::lock_guard lock(kept.mutex);
  const auto found = kept.by_server.find(server);
  if (found == kept.by_server.end()) return;
  while (!found->second.empty()) {
    SessionPtr session = std::move(found->second.back());
    found->second.pop_back();
    if (!is_fresh(session.get())) continue;
    SSL_set_session(ssl, session.get());
    // Older versions resume one session many times.
    if (SSL_SESSION_get_protocol_version(session.get()) < TLS1_3_VERSION)
      found->second.push_back(std::move(session));
    return;
  }
}

int ClientSessions::on_new(SSL* ssl, SSL_SESSION* session) {
  const auto* origin = static_cast<const Origin*>(SSL_get_ex_data(ssl, origin_index()));
  if (!origin || SSL_SESSION_is_resumable(session) != 1) return 0;
  Kept& kept = *origin->sessions->kept_;
  const std::lock_guard lock(kept.mutex);
  if (kept.by_server.size() >= kMaxServers && !kept.by_server.contains(origin->server))
    kept.by_server.erase(kept.by_server.begin());
  auto& list = kept.by_server[origin->server];
  list.emplace_back(session);  // 1: the reference is ours now
  if (list.size() > kPerServer) list.pop_front();
  return 1;
}

}  // namespace fairlead::tls
