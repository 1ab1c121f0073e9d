#include "cmd/fairlead/control_socket.h"

#include "engine/base/strings.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <optional>
#include <vector>

namespace fairlead::cmd {
namespace {

constexpr std::size_t kMaxClients = 16;
constexpr std::size_t kMaxLine = 64 * 1024;              // bytes of a request
constexpr std::size_t kMaxAnswer = 256UL * 1024 * 1024;  // bytes that a client reads
constexpr int kBacklog = 8;
constexpr int kRest = 1000;                              // ms without accepting when there are no descriptors
constexpr timeval kPatience{.tv_sec = 5, .tv_usec = 0};  // for a client that does not read, or a server

Fd unix_socket() { return Fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)); }

std::optional<sockaddr_un> address_of(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.empty() || path.size() >= sizeof address.sun_path) return std::nullopt;
  std::ranges::copy(path, address.sun_path);
  return address;
}

std::unexpected<Error> failed(const std::string& what, const std::string& path) {
  return fail(500, Fault::Proxy, fmt::format("{} {}: {}", what, path, std::strerror(errno)));
}

bool connect_to(int socket, const sockaddr_un& address) {
  return ::connect(socket, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
}

bool send_all(int socket, std::string_view text) {
  while (!text.empty()) {
    const ssize_t sent = ::send(socket, text.data(), text.size(), MSG_NOSIGNAL);
    if (sent < 0 && errno == EINTR) continue;
    if (sent <= 0) return false;
    text.remove_prefix(static_cast<std::size_t>(sent));
  }
  return true;
}

struct Client {
  Fd socket;
  std::string input;
  std::uint64_t heard = 0;  // when it last said something, in turns
};

}  // namespace

std::string default_control_path() {
  const char* runtime = std::getenv("XDG_RUNTIME_DIR");
  return fmt::format("{}/fairlead.sock", runtime && *runtime ? runtime : "/run");
}

Result<std::unique_ptr<ControlSocket>> ControlSocket::open(std::string path, Commands commands) {
  const auto address = address_of(path);
  if (!address) return fail(500, Fault::Proxy, fmt::format("control socket \"{}\": no usable path", path));
  if (const Fd probe = unix_socket(); connect_to(probe.get(), *address))
    return fail(500, Fault::Proxy, fmt::format("control socket {}: another instance uses it", path));
  if (errno == ECONNREFUSED) ::unlink(path.c_str());
  Fd listener = unix_socket();
  // Before bind(): the file must never exist with a looser mode.
  if (!listener || ::fchmod(listener.get(), 0600) != 0 ||
      ::bind(listener.get(), reinterpret_cast<const sockaddr*>(&*address), sizeof *address) != 0 ||
      ::listen(listener.get(), kBacklog) != 0)
    return failed("control socket", path);
  return std::unique_ptr<ControlSocket>(
      new ControlSocket(std::move(path), std::move(commands), std::move(listener)));
}

ControlSocket::ControlSocket(std::string path, Commands commands, Fd listener)
    : path_(std::move(path)),
      commands_(std::move(commands)),
      listener_(std::move(listener)),
      stop_(::eventfd(0, EFD_CLOEXEC)),
      thread_([this] { run(); }) {}

ControlSocket::~ControlSocket() {
  const std::uint64_t one = 1;
  if (::write(stop_.get(), &one, sizeof one) == sizeof one) thread_.join();
  ::unlink(path_.c_str());
}

void ControlSocket::run() {
  std::vector<Client> clients;
  bool resting = false;
  for (std::uint64_t turn = 0;; ++turn) {
    std::vector<pollfd> wanted{{.fd = stop_.get(), .events = POLLIN, .revents = 0}};
    wanted.push_back({.fd = resting ? -1 : listener_.get(), .events = POLLIN, .revents = 0});
    for (const Client& client : clients)
      wanted.push_back({.fd = client.socket.get(), .events = POLLIN, .revents = 0});
    if (::poll(wanted.data(), wanted.size(), resting ? kRest : -1) < 0 && errno != EINTR) return;
    if (wanted[0].revents) return;
    resting = false;
    for (std::size_t i = 0; i < clients.size(); ++i) {
      if (!wanted[i + 2].revents) continue;
      Client& client = clients[i];
      client.heard = turn;
      std::array<char, 4096> block;
      const ssize_t got = ::recv(client.socket.get(), block.data(), block.size(), 0);
      if (got > 0) client.input.append(block.data(), static_cast<std::size_t>(got));
      bool good = got > 0 && client.input.size() <= kMaxLine;
      for (std::size_t end; good && (end = client.input.find('\n')) != std::string::npos;) {
        good = send_all(client.socket.get(), answer(std::string_view(client.input).substr(0, end)) + '\n');
        client.input.erase(0, end + 1);
      }
      if (!good) client.socket.reset();
    }
    std::erase_if(clients, [](const Client& client) { return !client.socket; });
    if (!wanted[1].revents) continue;
    Fd socket(::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC));
    // Out of descriptors, the one that waits would be told of again and again.
    resting = !socket && errno != EINTR && errno != ECONNABORTED;
    if (!socket) continue;
    ::setsockopt(socket.get(), SOL_SOCKET, SO_SNDTIMEO, &kPatience, sizeof kPatience);
    ::setsockopt(socket.get(), SOL_SOCKET, SO_RCVTIMEO, &kPatience, sizeof kPatience);
    // Whoever has been silent longest gives its place to the newcomer.
    if (clients.size() == kMaxClients) clients.erase(std::ranges::min_element(clients, {}, &Client::heard));
    clients.push_back({.socket = std::move(socket), .input = {}, .heard = turn});
  }
}

std::string ControlSocket::answer(std::string_view line) const {
  line = trim(line);
  if (line.ends_with('\r')) line.remove_suffix(1);
  const std::size_t space = line.find(' ');
  const std::string_view name = line.substr(0, space);
  const auto found = commands_.find(name);
  if (found != commands_.end())
    return found->second(space == std::string_view::npos ? std::string_view{} : trim(line.substr(space)));
  nlohmann::ordered_json out{{"error", fmt::format("unknown command {}", quoted(name))}};
  for (const auto& [known, command] : commands_) out["commands"].push_back(known);
  return out.dump();
}

Result<std::string> ask_control(const std::string& path, std::string_view line) {
  const auto address = address_of(path);
  const Fd socket = unix_socket();
  if (!address || !connect_to(socket.get(), *address)) return failed("no instance answers at", path);
  ::setsockopt(socket.get(), SOL_SOCKET, SO_RCVTIMEO, &kPatience, sizeof kPatience);
  if (!send_all(socket.get(), fmt::format("{}\n", line))) return failed("send to", path);
  std::string out;
  std::array<char, 64 * 1024> block;
  while (!out.ends_with('\n')) {
    const ssize_t got = ::recv(socket.get(), block.data(), block.size(), 0);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0 && errno == EAGAIN)
      return fail(500, Fault::Proxy, fmt::format("{} gives no answer within {} s", path, kPatience.tv_sec));
    if (got <= 0 || out.size() > kMaxAnswer) return failed("no whole answer from", path);
    out.append(block.data(), static_cast<std::size_t>(got));
  }
  out.pop_back();
  return out;
}

}  // namespace fairlead::cmd
