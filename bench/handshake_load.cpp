// TLS handshakes for ./dev bench, on 127.0.0.1.
//
//   handshake_load full|resumed PORT SECONDS CLIENTS NAME   connections one after the other, CLIENTS at a
//   time:
//                                                           handshake, then both sides close. `resumed`: each
//                                                           with the newest ticket. Prints how many there
//                                                           were, how many failed, and how many were resumed

#include "engine/base/fd.h"
#include "engine/tls/pointers.h"

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include <array>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace {

using fairlead::Fd;
using fairlead::tls::ContextPtr;
using fairlead::tls::Freed;
using fairlead::tls::SslPtr;
using Clock = std::chrono::steady_clock;
using SessionPtr = std::unique_ptr<SSL_SESSION, Freed<SSL_SESSION_free>>;

constexpr auto kLost = std::chrono::seconds(2);  // after it a connection has failed

struct Client {
  Fd socket;
  SslPtr ssl;
  Clock::time_point begun;
  bool agreed = false;  // the handshake is over, the end of the stream is awaited
};

class Generator {
 public:
  Generator(bool resumes, int port, std::size_t clients, std::string name)
      : resumes_(resumes),
        name_(std::move(name)),
        epoll_(::epoll_create1(EPOLL_CLOEXEC)),
        context_(SSL_CTX_new(TLS_client_method())),
        clients_(clients) {
    to_.sin_family = AF_INET;
    to_.sin_port = htons(static_cast<std::uint16_t>(port));
    to_.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    SSL_CTX* context = context_.get();
    SSL_CTX_set_min_proto_version(context, TLS1_3_VERSION);
    // What the client checks costs the proxy nothing.
    SSL_CTX_set_verify(context, SSL_VERIFY_NONE, nullptr);
    static constexpr unsigned char kProtocols[] = "\x08http/1.1";
    SSL_CTX_set_alpn_protos(context, kProtocols, sizeof kProtocols - 1);
    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
    SSL_CTX_set_ex_data(context, 0, this);
    SSL_CTX_sess_set_new_cb(context, [](SSL* ssl, SSL_SESSION* session) {
      static_cast<Generator*>(SSL_CTX_get_ex_data(SSL_get_SSL_CTX(ssl), 0))->ticket_.reset(session);
      return 1;  // it is ours
    });
  }

  void run(Clock::duration length) {
    const auto until = Clock::now() + length;
    for (Client& client : clients_) begin(client);
    auto look = Clock::now() + kLost;
    for (auto now = Clock::now(); now < until; now = Clock::now()) {
      std::array<epoll_event, 256> events;
      const int count = ::epoll_wait(epoll_.get(), events.data(), events.size(), 20);
      for (int i = 0; i < count; ++i)
        go_on(*static_cast<Client*>(events[static_cast<std::size_t>(i)].data.ptr));
      if (now < look) continue;
      look = now + kLost;
      for (Client& client : clients_)
        if (now - client.begun > kLost) fail(client);
    }
    std::printf("{\"requests\": %llu, \"failed\": %llu, \"resumed\": %llu}\n",
                static_cast<unsigned long long>(done_), static_cast<unsigned long long>(failed_),
                static_cast<unsigned long long>(resumed_));
  }

 private:
  void begin(Client& client) {
    client.ssl.reset();
    client.socket = Fd(::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    client.begun = Clock::now();
    client.agreed = false;
    const int on = 1;
    ::setsockopt(client.socket.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    ::connect(client.socket.get(), reinterpret_cast<const sockaddr*>(&to_), sizeof to_);
    client.ssl.reset(SSL_new(context_.get()));
    SSL* ssl = client.ssl.get();
    SSL_set_fd(ssl, client.socket.get());
    SSL_set_tlsext_host_name(ssl, name_.c_str());
    if (resumes_ && ticket_) SSL_set_session(ssl, ticket_.get());
    SSL_set_connect_state(ssl);
    epoll_event event{EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET, {.ptr = &client}};
    ::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, client.socket.get(), &event);
  }

  void fail(Client& client) {
    ++failed_;
    ERR_clear_error();
    begin(client);
  }

  void go_on(Client& client) {
    SSL* ssl = client.ssl.get();
    ERR_clear_error();
    if (!client.agreed) {
      const int ok = SSL_do_handshake(ssl);
      if (ok != 1) {
        const int code = SSL_get_error(ssl, ok);
        if (code != SSL_ERROR_WANT_READ && code != SSL_ERROR_WANT_WRITE) fail(client);
        return;
      }
      client.agreed = true;
      ++done_;
      if (SSL_session_reused(ssl)) ++resumed_;
      leave(client);
    }
    // Tickets come on the way to the end.
    std::array<char, 1024> bytes;
    for (;;) {
      const int got = SSL_read(ssl, bytes.data(), static_cast<int>(bytes.size()));
      if (got > 0) continue;
      if (SSL_get_error(ssl, got) == SSL_ERROR_WANT_READ) return;
      break;
    }
    begin(client);
  }

  static void leave(Client& client) {
    SSL_shutdown(client.ssl.get());
    ::shutdown(client.socket.get(), SHUT_WR);
  }

  const bool resumes_;
  const std::string name_;
  sockaddr_in to_{};
  Fd epoll_;
  ContextPtr context_;
  SessionPtr ticket_;
  std::vector<Client> clients_;
  std::uint64_t done_ = 0;
  std::uint64_t failed_ = 0;
  std::uint64_t resumed_ = 0;
};

// "0.25"
Clock::duration seconds(const char* word) {
  return std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(std::atof(word)));
}

}  // namespace

int main(int count, char** words) {
  if (count != 6) return 2;
  const std::string_view mode = words[1];
  if (mode != "full" && mode != "resumed") return 2;
  Generator generator(mode == "resumed", std::atoi(words[2]), static_cast<std::size_t>(std::atoi(words[4])),
                      words[5]);
  generator.run(seconds(words[3]));
  return 0;
}
