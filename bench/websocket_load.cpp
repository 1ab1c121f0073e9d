// WebSocket messages for ./dev bench, on 127.0.0.1.
//
//   websocket_load echo PORT                               answers every message with itself; until it is
//   ended websocket_load ask PORT SECONDS CONNECTIONS BYTES      one message at a time on each connection.
//   Prints how
//                                                          many were answered, and how many connections were
//                                                          lost
//   websocket_load hold PORT COUNT                         opens COUNT, prints how many, and keeps them until
//   its
//                                                          input ends
//
// The handshake is the example of RFC 6455 §1.3, and the masking key is zero: what is measured is who stands
// between the two.

#include "engine/base/fd.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
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
using Clock = std::chrono::steady_clock;

constexpr std::string_view kAsk =
    "GET /100b HTTP/1.1\r\nHost: h0.test\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
    "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
constexpr std::string_view kAgree =
    "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
    "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n";
// To whoever only looks whether the server is there.
constexpr std::string_view kHere = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
constexpr std::string_view kHeadEnd = "\r\n\r\n";

sockaddr_in loopback(int port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

void no_delay(int socket) {
  const int on = 1;
  ::setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

// All of it; messages are smaller than what sockets take.
bool send_all(int socket, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t sent = ::send(socket, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent < 0 && errno == EINTR) continue;
    if (sent <= 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(sent));
  }
  return true;
}

// What is there now, after what `into` has; false at the end of the connection.
bool receive(int socket, std::string& into) {
  static std::array<char, 256 * 1024> buffer;
  const ssize_t got = ::recv(socket, buffer.data(), buffer.size(), MSG_DONTWAIT);
  if (got < 0) return errno == EAGAIN || errno == EINTR;
  into.append(buffer.data(), static_cast<std::size_t>(got));
  return got > 0;
}

// The head of a binary frame (RFC 6455 §5.2).
std::string frame_head(std::size_t bytes, bool masked) {
  std::string head{'\x82'};
  const int mask = masked ? 0x80 : 0;
  if (bytes < 126) {
    head += static_cast<char>(mask | static_cast<int>(bytes));
  } else {
    head += static_cast<char>(mask | 126);
    head += static_cast<char>(bytes >> 8);
    head += static_cast<char>(bytes & 0xff);
  }
  if (masked) head.append(4, '\0');
  return head;
}

struct Server {
  Fd socket;
  std::string got;
  bool upgraded = false;

  // False when the connection is over.
  bool turn() {
    if (!receive(socket.get(), got)) return false;
    if (!upgraded) {
      const std::size_t end = got.find(kHeadEnd);
      if (end == std::string::npos) return true;
      upgraded = got.find("websocket") < end;
      got.erase(0, end + kHeadEnd.size());
      if (!send_all(socket.get(), upgraded ? kAgree : kHere) || !upgraded) return false;
    }
    std::string answers;
    while (take_message(answers)) {
    }
    if (got.empty()) std::string().swap(got);  // thousands of them rest
    return send_all(socket.get(), answers);
  }

  bool take_message(std::string& answers) {
    if (got.size() < 8) return false;  // none is shorter
    std::size_t bytes = static_cast<unsigned char>(got[1]) & 0x7f;
    std::size_t head = 6;
    if (bytes == 126) {
      bytes = static_cast<std::size_t>(static_cast<unsigned char>(got[2])) << 8 |
              static_cast<unsigned char>(got[3]);
      head = 8;
    }
    if (got.size() < head + bytes) return false;
    answers += frame_head(bytes, false);
    answers.append(got, head, bytes);
    got.erase(0, head + bytes);
    return true;
  }
};

int echo(int port) {
  const Fd listener(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const int on = 1;
  ::setsockopt(listener.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  const sockaddr_in address = loopback(port);
  if (::bind(listener.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) return 1;
  if (::listen(listener.get(), 4096) != 0) return 1;
  const Fd epoll(::epoll_create1(EPOLL_CLOEXEC));
  epoll_event event{EPOLLIN, {.ptr = nullptr}};
  ::epoll_ctl(epoll.get(), EPOLL_CTL_ADD, listener.get(), &event);
  for (;;) {
    std::array<epoll_event, 256> events;
    const int count = ::epoll_wait(epoll.get(), events.data(), events.size(), -1);
    for (int i = 0; i < count; ++i) {
      auto* server = static_cast<Server*>(events[static_cast<std::size_t>(i)].data.ptr);
      if (server) {
        if (!server->turn()) delete server;
        continue;
      }
      Fd socket(::accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC));
      if (!socket) continue;
      no_delay(socket.get());
      server = new Server{std::move(socket), {}, false};  // its own descriptor's event keeps it
      event = {EPOLLIN, {.ptr = server}};
      ::epoll_ctl(epoll.get(), EPOLL_CTL_ADD, server->socket.get(), &event);
    }
  }
}

// A connection that has become a WebSocket; empty when it did not.
Fd open_tunnel(int port) {
  Fd socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const sockaddr_in to = loopback(port);
  if (::connect(socket.get(), reinterpret_cast<const sockaddr*>(&to), sizeof to) != 0) return {};
  no_delay(socket.get());
  if (!send_all(socket.get(), kAsk)) return {};
  std::string head;
  while (head.find(kHeadEnd) == std::string::npos) {
    pollfd waiting{socket.get(), POLLIN, 0};
    if (::poll(&waiting, 1, 10'000) <= 0 || !receive(socket.get(), head)) return {};
  }
  return head.starts_with("HTTP/1.1 101") ? std::move(socket) : Fd();
}

int hold(int port, std::size_t count) {
  std::vector<Fd> tunnels;
  while (tunnels.size() < count) {
    Fd tunnel = open_tunnel(port);
    if (!tunnel) break;
    tunnels.push_back(std::move(tunnel));
  }
  std::printf("{\"open\": %zu}\n", tunnels.size());
  std::fflush(stdout);
  std::array<char, 16> ignored;
  while (::read(STDIN_FILENO, ignored.data(), ignored.size()) > 0) {
  }
  return 0;
}

struct Client {
  Fd socket;
  std::string got;
};

int ask(int port, Clock::duration length, std::size_t connections, std::size_t bytes) {
  const std::string message = frame_head(bytes, true) + std::string(bytes, 'x');
  const std::size_t answer = frame_head(bytes, false).size() + bytes;
  const Fd epoll(::epoll_create1(EPOLL_CLOEXEC));
  std::vector<Client> clients(connections);
  std::uint64_t answered = 0;
  std::uint64_t lost = 0;
  for (Client& client : clients) {
    client.socket = open_tunnel(port);
    if (!client.socket || !send_all(client.socket.get(), message)) {
      ++lost;
      continue;
    }
    epoll_event event{EPOLLIN, {.ptr = &client}};
    ::epoll_ctl(epoll.get(), EPOLL_CTL_ADD, client.socket.get(), &event);
  }
  const auto until = Clock::now() + length;
  while (Clock::now() < until) {
    std::array<epoll_event, 256> events;
    const int count = ::epoll_wait(epoll.get(), events.data(), events.size(), 20);
    for (int i = 0; i < count; ++i) {
      Client& client = *static_cast<Client*>(events[static_cast<std::size_t>(i)].data.ptr);
      bool alive = receive(client.socket.get(), client.got);
      if (alive && client.got.size() >= answer) {
        ++answered;
        client.got.clear();
        alive = send_all(client.socket.get(), message);
      }
      if (alive) continue;
      ++lost;
      client.socket.reset();
    }
  }
  std::printf("{\"requests\": %llu, \"failed\": %llu}\n", static_cast<unsigned long long>(answered),
              static_cast<unsigned long long>(lost));
  return 0;
}

// "0.25"
Clock::duration seconds(const char* word) {
  return std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(std::atof(word)));
}

}  // namespace

int main(int count, char** words) {
  rlimit files{};
  ::getrlimit(RLIMIT_NOFILE, &files);
  files.rlim_cur = files.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &files);
  const auto number = [&](int at) { return at < count ? std::atoi(words[at]) : 0; };
  const auto size = [&](int at) { return static_cast<std::size_t>(std::max(0, number(at))); };
  const std::string_view mode = count > 1 ? words[1] : "";
  if (mode == "echo") return echo(number(2));
  if (mode == "hold" && count == 4) return hold(number(2), size(3));
  if (mode == "ask" && count == 6 && size(5) < 65536)
    return ask(number(2), seconds(words[3]), size(4), size(5));
  return 2;
}
