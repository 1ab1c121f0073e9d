// What a proxy costs that parses nothing: bytes of one connection go to another, two receives and two sends
// per small request and answer. The yardstick of ./dev bench: no proxy on this kernel can be below it.
//
//   byte_forwarder PORT SERVER_PORT     both on 127.0.0.1; until it is ended

#include "engine/base/fd.h"

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdint>
#include <cstdlib>
#include <vector>

namespace {

using fairlead::Fd;

sockaddr_in loopback(int port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

class Forwarder {
 public:
  Forwarder(int port, int server_port)
      : server_(loopback(server_port)),
        listener_(::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)),
        epoll_(::epoll_create1(EPOLL_CLOEXEC)) {
    const int on = 1;
    ::setsockopt(listener_.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    ::setsockopt(listener_.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    const sockaddr_in address = loopback(port);
    ready_ = ::bind(listener_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0 &&
             ::listen(listener_.get(), 4096) == 0;
    watch(listener_.get(), EPOLLIN);
  }

  bool ready() const { return ready_; }

  void run() {
    std::array<epoll_event, 256> events;
    for (;;) {
      const int count = ::epoll_wait(epoll_.get(), events.data(), static_cast<int>(events.size()), -1);
      for (int i = 0; i < count; ++i) {
        const int socket = events[static_cast<std::size_t>(i)].data.fd;
        if (socket == listener_.get())
          accept();
        else
          forward(socket);
      }
    }
  }

 private:
  void watch(int socket, std::uint32_t events) {
    epoll_event event{.events = events, .data = {.fd = socket}};
    ::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, socket, &event);
  }

  void accept() {
    Fd client(::accept4(listener_.get(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
    Fd server(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    if (!client || !server ||
        ::connect(server.get(), reinterpret_cast<const sockaddr*>(&server_), sizeof server_) != 0)
      return;
    const auto one = static_cast<std::size_t>(client.get());
    const auto other = static_cast<std::size_t>(server.get());
    if (ends_.size() <= std::max(one, other)) ends_.resize(std::max(one, other) + 1);
    watch(client.get(), EPOLLIN | EPOLLRDHUP | EPOLLET);
    watch(server.get(), EPOLLIN | EPOLLRDHUP | EPOLLET);
    ends_[one] = {std::move(client), static_cast<int>(other)};
    ends_[other] = {std::move(server), static_cast<int>(one)};
  }

  void forward(int socket) {
    End& from = ends_[static_cast<std::size_t>(socket)];
    if (!from.socket) return;
    End& to = ends_[static_cast<std::size_t>(from.other)];
    const ssize_t got = ::recv(socket, buffer_.data(), buffer_.size(), MSG_DONTWAIT);
    if (got < 0 && errno == EAGAIN) return;
    if (got > 0 && ::send(to.socket.get(), buffer_.data(), static_cast<std::size_t>(got),
                          MSG_DONTWAIT | MSG_NOSIGNAL) == got)
      return;
    to.socket.reset();
    from.socket.reset();
  }

  struct End {
    Fd socket;
    int other = -1;
  };
  sockaddr_in server_;
  Fd listener_;
  Fd epoll_;
  bool ready_ = false;
  std::vector<End> ends_;  // by descriptor
  std::array<char, 128 * 1024> buffer_;
};

}  // namespace

int main(int count, char** arguments) {
  if (count != 3) return 2;
  Forwarder forwarder(std::atoi(arguments[1]), std::atoi(arguments[2]));
  if (!forwarder.ready()) return 1;
  forwarder.run();
}
