#include "engine/net/activation.h"

#include "engine/base/strings.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>

namespace fairlead::net {
namespace {

constexpr int kFirst = 3;              // SD_LISTEN_FDS_START
constexpr std::uint64_t kMost = 1024;  // descriptors beyond it are no list of sockets

std::string_view variable(const char* name) {
  const char* value = std::getenv(name);
  return value ? value : "";
}

int option_of(int socket, int option) {
  int value = -1;
  socklen_t size = sizeof value;
  return ::getsockopt(socket, SOL_SOCKET, option, &value, &size) == 0 ? value : -1;
}

bool is_inet(int socket) {
  const int domain = option_of(socket, SO_DOMAIN);
  return domain == AF_INET || domain == AF_INET6;
}

}  // namespace

Activation Activation::from_environment() {
  const auto pid = parse_digits(variable("LISTEN_PID"));
  const auto count = parse_digits(variable("LISTEN_FDS"));
  if (!pid || !count || *pid != static_cast<std::uint64_t>(::getpid()) || *count > kMost) return {};
  std::vector<std::string> names;
  std::string_view rest = variable("LISTEN_FDNAMES");
  while (names.size() < *count) {
    const std::size_t colon = rest.find(':');
    names.emplace_back(rest.substr(0, colon));
    rest = colon == std::string_view::npos ? std::string_view() : rest.substr(colon + 1);
  }
  return {kFirst, names};
}

Activation::Activation(int first, const std::vector<std::string>& names) {
  for (const std::string& name : names) {
    Fd socket(first++);
    if (::fcntl(socket.get(), F_SETFD, FD_CLOEXEC) != 0) {
      socket.release();  // no such descriptor
      continue;
    }
    // Of the open socket, so the duplicates have it too.
    ::fcntl(socket.get(), F_SETFL, ::fcntl(socket.get(), F_GETFL) | O_NONBLOCK);
    passed_.push_back({name, std::move(socket)});
  }
}

Result<Fd> Activation::find(std::string_view name, Kind kind) {
  const int type = kind == Kind::Stream ? SOCK_STREAM : SOCK_DGRAM;
  Passed* found = nullptr;
  for (Passed& one : passed_) {
    if (one.name != name || option_of(one.socket.get(), SO_TYPE) != type) continue;
    one.claimed = true;
    if (found)
      return fail(500, Fault::Proxy,
                  fmt::format("systemd passed several sockets named {}: each entry point takes one", name));
    found = &one;
  }
  if (!found) return Fd();
  const int socket = found->socket.get();
  if (!is_inet(socket) || (kind == Kind::Stream && option_of(socket, SO_ACCEPTCONN) != 1))
    return fail(500, Fault::Proxy,
                fmt::format("the socket named {} that systemd passed is no listening internet socket", name));
  Fd own(::fcntl(socket, F_DUPFD_CLOEXEC, 0));
  if (!own)
    return fail(500, Fault::Proxy, fmt::format("the socket named {}: {}", name, std::strerror(errno)));
  return own;
}

std::vector<std::string> Activation::unclaimed() const {
  std::vector<std::string> names;
  for (const Passed& one : passed_)
    if (!one.claimed && std::ranges::find(names, one.name) == names.end()) names.push_back(one.name);
  return names;
}

}  // namespace fairlead::net
