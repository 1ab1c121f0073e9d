#include "acme/dns/round_trip.h"

#include "acme/dns/message.h"
#include "acme/dns/resolver.h"
#include "engine/base/fd.h"
#include "engine/base/strings.h"

#include <fmt/format.h>
#include <netdb.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <memory>

namespace fairlead::acme::dns {
namespace {

constexpr int kStopLook = 50;      // ms between looks at the stop
constexpr int kDatagramTries = 3;  // within the timeout

struct Line {
  Fd socket;
  TimePoint deadline;
  std::stop_token stop;

  // Waits for `events`; 0, or the errno of why not.
  int wait(short events, TimePoint until) const {
    while (!stop.stop_requested()) {
      // First: bytes that go on coming must not put off the end.
      if (SystemClock::instance().now() >= until) return ETIMEDOUT;
      pollfd one{socket.get(), events, 0};
      const int ready = ::poll(&one, 1, kStopLook);
      if (ready > 0) return 0;
      if (ready < 0 && errno != EINTR) return errno;
    }
    return ECANCELED;
  }

  int connect(const addrinfo& to) const {
    if (::connect(socket.get(), to.ai_addr, to.ai_addrlen) == 0) return 0;
    if (errno != EINPROGRESS) return errno;
    if (const int error = wait(POLLOUT, deadline)) return error;
    int error = 0;
    socklen_t size = sizeof error;
    ::getsockopt(socket.get(), SOL_SOCKET, SO_ERROR, &error, &size);
    return error;
  }

  int send_all(std::string_view bytes) const {
    while (!bytes.empty()) {
      const ssize_t sent = ::send(socket.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (sent > 0)
        bytes.remove_prefix(static_cast<std::size_t>(sent));
      else if (errno != EAGAIN && errno != EINTR)
        return errno;
      else if (const int error = wait(POLLOUT, deadline))
        return error;
    }
    return 0;
  }

  int receive_all(std::string& into, std::size_t bytes) const {
    into.clear();
    char chunk[4096];
    while (into.size() < bytes) {
      if (const int error = wait(POLLIN, deadline)) return error;
      const ssize_t got = ::recv(socket.get(), chunk, std::min(sizeof chunk, bytes - into.size()), 0);
      if (got > 0)
        into.append(chunk, static_cast<std::size_t>(got));
      else if (got == 0)
        return ECONNRESET;
      else if (errno != EAGAIN && errno != EINTR)
        return errno;
    }
    return 0;
  }
};

using AddressPtr = std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)>;

AddressPtr find_address(const std::string& server, int kind) {
  const auto [host, port] = host_and_port(server, "53");
  addrinfo hints{};
  hints.ai_socktype = kind;
  addrinfo* found = nullptr;
  if (::getaddrinfo(host.c_str(), port.c_str(), &hints, &found) != 0) found = nullptr;
  return {found, ::freeaddrinfo};
}

// 0 with an answer, or an errno.
int over_tcp(const addrinfo& to, std::string_view message, TimePoint deadline, const std::stop_token& stop,
             std::string& answer) {
  const Line line{Fd(::socket(to.ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)), deadline, stop};
  if (const int error = line.connect(to)) return error;
  std::string framed;
  put16(framed, static_cast<std::uint32_t>(message.size()));
  framed += message;
  if (const int error = line.send_all(framed)) return error;
  std::string head;
  if (const int error = line.receive_all(head, 2)) return error;
  return line.receive_all(answer, get16(head, 0));
}

int over_udp(const addrinfo& to, std::string_view message, Duration timeout, const std::stop_token& stop,
             std::string& answer) {
  const TimePoint deadline = SystemClock::instance().now() + timeout;
  const Line line{Fd(::socket(to.ai_family, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)), deadline, stop};
  if (const int error = line.connect(to)) return error;
  for (int attempt = 1; attempt <= kDatagramTries; ++attempt) {
    if (const int error = line.send_all(message)) return error;
    const TimePoint until =
        attempt == kDatagramTries ? deadline : SystemClock::instance().now() + timeout / kDatagramTries;
    for (int error = 0; (error = line.wait(POLLIN, until)) != ETIMEDOUT;) {
      if (error) return error;
      char bytes[65'535];
      const ssize_t got = ::recv(line.socket.get(), bytes, sizeof bytes, 0);
      if (got < 0 && errno != EAGAIN) return errno;
      // Somebody else's datagram is passed over.
      if (got < 12 || std::memcmp(bytes, message.data(), 2) != 0) continue;
      answer.assign(bytes, static_cast<std::size_t>(got));
      return 0;
    }
  }
  return ETIMEDOUT;
}

}  // namespace

Result<std::string> round_trip(const std::string& server, std::string_view message, Duration timeout,
                               std::stop_token stop) {
  const AddressPtr to = find_address(server, SOCK_STREAM);
  if (!to) return fail(502, Fault::Upstream, fmt::format("DNS server {}: the name does not resolve", server));
  std::string answer;
  const TimePoint deadline = SystemClock::instance().now() + timeout;
  const int error = over_tcp(*to, message, deadline, stop, answer);
  if (error && !stop.stop_requested()) {
    answer.clear();
    const AddressPtr datagram = find_address(server, SOCK_DGRAM);
    const int again = datagram ? over_udp(*datagram, message, timeout, stop, answer) : error;
    if (again)
      return fail(again == ETIMEDOUT ? 504 : 502, Fault::Upstream,
                  fmt::format("DNS server {}: by TCP: {}; by UDP: {}", server, std::strerror(error),
                              std::strerror(again)),
                  true);
  }
  if (stop.stop_requested()) return fail(503, Fault::Proxy, "stopped");
  return answer;
}

}  // namespace fairlead::acme::dns
