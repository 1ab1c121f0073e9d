// What a server costs that only shakes hands: TLS 1.3 of OpenSSL with one certificate, one ticket, one
// receive and one send per flight, and nothing behind it. The yardstick of bench/handshakes.py: what is above
// it is the proxy's.
//
//   handshake_floor PORT CHAIN KEY     on 127.0.0.1, PEM files; until it is ended

#include "engine/base/fd.h"

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <span>
#include <string>

namespace {

using fairlead::Fd;

// The flight that is being answered and its answer: one connection at a time.
std::array<char, 64 * 1024> received;
std::span<const char> unread;
std::string output;

int read_flight(BIO* bio, char* into, int room) {
  BIO_clear_retry_flags(bio);
  if (unread.empty()) {
    BIO_set_retry_read(bio);
    return -1;
  }
  const std::size_t count = std::min(unread.size(), static_cast<std::size_t>(room));
  std::memcpy(into, unread.data(), count);
  unread = unread.subspan(count);
  return static_cast<int>(count);
}

int write_flight(BIO*, const char* from, int count) {
  output.append(from, static_cast<std::size_t>(count));
  return count;
}

BIO_METHOD* flights() {
  BIO_METHOD* method = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "flights");
  BIO_meth_set_read(method, read_flight);
  BIO_meth_set_write(method, write_flight);
  BIO_meth_set_ctrl(method, [](BIO*, int command, long, void*) -> long { return command == BIO_CTRL_FLUSH; });
  BIO_meth_set_create(method, [](BIO* bio) {
    BIO_set_init(bio, 1);
    return 1;
  });
  return method;
}

struct Connection {
  Connection(Fd accepted, SSL_CTX* context, const BIO_METHOD* method)
      : socket(std::move(accepted)), tls(SSL_new(context), SSL_free) {
    BIO* bio = BIO_new(method);
    SSL_set_bio(tls.get(), bio, bio);
    SSL_set_accept_state(tls.get());
  }

  // False when the connection is over.
  bool advance() {
    const ssize_t got = ::recv(socket.get(), received.data(), received.size(), 0);
    if (got < 0 && errno == EAGAIN) return true;
    if (got <= 0) return false;
    unread = {received.data(), static_cast<std::size_t>(got)};
    output.clear();
    const bool open = step();
    return (output.empty() || ::send(socket.get(), output.data(), output.size(), MSG_NOSIGNAL) > 0) && open;
  }

  bool step() {
    std::array<char, 1024> nothing;
    int result = SSL_do_handshake(tls.get());
    if (result == 1) result = SSL_read(tls.get(), nothing.data(), nothing.size());
    if (result > 0 || SSL_get_error(tls.get(), result) == SSL_ERROR_WANT_READ) return true;
    SSL_shutdown(tls.get());
    ERR_clear_error();
    return false;
  }

  Fd socket;
  std::unique_ptr<SSL, void (*)(SSL*)> tls;
};

SSL_CTX* context_of(const char* chain, const char* key) {
  SSL_CTX* context = SSL_CTX_new(TLS_server_method());
  SSL_CTX_set_min_proto_version(context, TLS1_3_VERSION);
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
  SSL_CTX_set_num_tickets(context, 1);
  const bool usable = SSL_CTX_use_certificate_chain_file(context, chain) == 1 &&
                      SSL_CTX_use_PrivateKey_file(context, key, SSL_FILETYPE_PEM) == 1;
  return usable ? context : nullptr;
}

Fd listening(int port) {
  Fd listener(::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  const int on = 1;
  ::setsockopt(listener.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  ::setsockopt(listener.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  const bool bound = ::bind(listener.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
  return bound && ::listen(listener.get(), 4096) == 0 ? std::move(listener) : Fd();
}

void watch(const Fd& epoll, int socket, void* data, std::uint32_t events) {
  epoll_event event{.events = events, .data = {.ptr = data}};
  ::epoll_ctl(epoll.get(), EPOLL_CTL_ADD, socket, &event);
}

}  // namespace

int main(int count, char** arguments) {
  if (count != 4) return 2;
  SSL_CTX* context = context_of(arguments[2], arguments[3]);
  const Fd listener = listening(std::atoi(arguments[1]));
  if (!context || !listener) return 1;
  const BIO_METHOD* method = flights();
  const Fd epoll(::epoll_create1(EPOLL_CLOEXEC));
  watch(epoll, listener.get(), nullptr, EPOLLIN);
  std::array<epoll_event, 256> events;
  for (;;) {
    const int ready = ::epoll_wait(epoll.get(), events.data(), static_cast<int>(events.size()), -1);
    for (int i = 0; i < ready; ++i) {
      auto* connection = static_cast<Connection*>(events[static_cast<std::size_t>(i)].data.ptr);
      if (connection) {
        if (!connection->advance()) delete connection;
        continue;
      }
      Fd accepted(::accept4(listener.get(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
      if (!accepted) continue;
      const int socket = accepted.get();
      connection = new Connection(std::move(accepted), context, method);
      watch(epoll, socket, connection, EPOLLIN | EPOLLRDHUP | EPOLLET);
    }
  }
}
