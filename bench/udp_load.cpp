// Datagrams for ./dev bench, on 127.0.0.1.
//
//   udp_load echo PORT                                     answers everything with itself; until it is ended
//   udp_load ask PORT SECONDS CLIENTS WINDOW BYTES [fresh] CLIENTS sockets with WINDOW unanswered datagrams
//   each;
//                                                          fresh: every datagram from a new socket. Prints
//                                                          how many were answered, and how many were lost

#include "engine/base/fd.h"

#include <arpa/inet.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string_view>
#include <vector>

namespace {

using fairlead::Fd;
using Clock = std::chrono::steady_clock;

constexpr std::size_t kBatch = 64;
constexpr std::size_t kMaxBytes = 2048;
constexpr auto kLost = std::chrono::milliseconds(200);  // after it an answer is not waited for any more

sockaddr_in loopback(int port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

Fd datagram_socket() {
  Fd socket(::socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  const int bytes = 4 << 20;
  ::setsockopt(socket.get(), SOL_SOCKET, SO_RCVBUFFORCE, &bytes, sizeof bytes);
  return socket;
}

// Room for one batch of datagrams.
struct Batch {
  std::array<std::array<char, kMaxBytes>, kBatch> data{};
  std::array<sockaddr_in, kBatch> names{};
  std::array<iovec, kBatch> parts{};
  std::array<mmsghdr, kBatch> headers{};

  void prepare(std::size_t count, std::size_t bytes, bool named) {
    for (std::size_t i = 0; i < count; ++i) {
      parts[i] = {data[i].data(), bytes};
      headers[i].msg_hdr = {};
      headers[i].msg_hdr.msg_iov = &parts[i];
      headers[i].msg_hdr.msg_iovlen = 1;
      if (!named) continue;
      headers[i].msg_hdr.msg_name = &names[i];
      headers[i].msg_hdr.msg_namelen = sizeof names[i];
    }
  }
};

int echo(int port) {
  const Fd socket = datagram_socket();
  const sockaddr_in address = loopback(port);
  if (::bind(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) return 1;
  static Batch batch;
  for (;;) {
    batch.prepare(kBatch, kMaxBytes, true);
    // Blocks for the first one.
    pollfd waiting{socket.get(), POLLIN, 0};
    ::poll(&waiting, 1, -1);
    const int got = ::recvmmsg(socket.get(), batch.headers.data(), kBatch, MSG_DONTWAIT, nullptr);
    if (got <= 0) continue;
    for (int i = 0; i < got; ++i) {
      const auto at = static_cast<std::size_t>(i);
      batch.parts[at].iov_len = batch.headers[at].msg_len;
    }
    ::sendmmsg(socket.get(), batch.headers.data(), static_cast<unsigned>(got), 0);
  }
}

struct Client {
  Fd socket;
  std::size_t unanswered = 0;
  Clock::time_point heard{};
};

class Generator {
 public:
  Generator(int port, std::size_t clients, std::size_t window, std::size_t bytes, bool fresh)
      : to_(loopback(port)),
        window_(window),
        bytes_(bytes),
        fresh_(fresh),
        epoll_(::epoll_create1(EPOLL_CLOEXEC)),
        clients_(clients) {}

  void run(Clock::duration length) {
    const auto until = Clock::now() + length;
    for (Client& client : clients_) open(client);
    for (Client& client : clients_) fill(client);
    auto look = Clock::now() + kLost;
    for (auto now = Clock::now(); now < until; now = Clock::now()) {
      std::array<epoll_event, 256> events;
      const int count = ::epoll_wait(epoll_.get(), events.data(), events.size(), 20);
      for (int i = 0; i < count; ++i)
        take(*static_cast<Client*>(events[static_cast<std::size_t>(i)].data.ptr), now);
      if (now < look) continue;
      look = now + kLost;
      for (Client& client : clients_)
        if (now - client.heard > kLost) {
          lost_ += client.unanswered;
          client.unanswered = 0;
          client.heard = now;
          fill(client);
        }
    }
    std::printf("{\"requests\": %llu, \"failed\": %llu}\n", static_cast<unsigned long long>(answered_),
                static_cast<unsigned long long>(lost_));
  }

 private:
  void open(Client& client) {
    client.socket = datagram_socket();
    ::connect(client.socket.get(), reinterpret_cast<const sockaddr*>(&to_), sizeof to_);
    epoll_event event{EPOLLIN, {.ptr = &client}};
    ::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, client.socket.get(), &event);
    client.heard = Clock::now();
  }
  void fill(Client& client) {
    const std::size_t count = window_ - client.unanswered;
    batch_.prepare(count, bytes_, false);
    const int sent = ::sendmmsg(client.socket.get(), batch_.headers.data(), static_cast<unsigned>(count), 0);
    if (sent > 0) client.unanswered += static_cast<std::size_t>(sent);
  }
  void take(Client& client, Clock::time_point now) {
    batch_.prepare(kBatch, kMaxBytes, false);
    const int got = ::recvmmsg(client.socket.get(), batch_.headers.data(), kBatch, MSG_DONTWAIT, nullptr);
    if (got <= 0) return;
    const auto count = static_cast<std::size_t>(got);
    answered_ += count;
    client.unanswered -= count < client.unanswered ? count : client.unanswered;
    client.heard = now;
    if (fresh_) {
      client.unanswered = 0;
      open(client);
    }
    fill(client);
  }

  sockaddr_in to_;
  std::size_t window_;
  std::size_t bytes_;
  bool fresh_;
  Fd epoll_;
  std::vector<Client> clients_;
  std::uint64_t answered_ = 0;
  std::uint64_t lost_ = 0;
  Batch batch_;
};

// "0.25"
Clock::duration seconds(const char* word) {
  return std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(std::atof(word)));
}

}  // namespace

int main(int count, char** words) {
  const auto number = [&](int at) { return at < count ? std::atoi(words[at]) : 0; };
  const std::string_view mode = count > 1 ? words[1] : "";
  if (mode == "echo") return echo(number(2));
  if (mode != "ask" || count < 7) return 2;
  const auto size = [&](int at) { return static_cast<std::size_t>(number(at)); };
  static Generator generator(number(2), size(4), size(5), size(6), count > 7);
  generator.run(seconds(words[3]));
  return 0;
}
