#include "providers/stdio_gate.h"

#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdlib>

namespace fairlead::providers {
namespace {

constexpr int kPatience = 10'000;  // ms that a process waits for its connection

// Between fork and exec: only async-signal-safe calls, since other threads may hold locks.
[[noreturn]] void take_connection(int listener, char* const* arguments) {
  ::setsid();
  sigset_t none;
  sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  pollfd waited{listener, POLLIN, 0};
  if (::poll(&waited, 1, kPatience) <= 0) ::_exit(1);
  const int connection = ::accept(listener, nullptr, nullptr);
  if (connection < 0) ::_exit(1);
  ::dup2(connection, STDIN_FILENO);
  ::dup2(connection, STDOUT_FILENO);
  if (connection > STDERR_FILENO) ::close(connection);
  ::execvp(arguments[0], arguments);
  ::_exit(127);
}

}  // namespace

StdioGate::StdioGate(std::vector<std::string> command) : command_(std::move(command)) {
  const char* base = std::getenv("TMPDIR");
  folder_ = std::string(base != nullptr ? base : "/tmp") + "/fairlead-ssh-XXXXXX";
  if (::mkdtemp(folder_.data()) == nullptr) {
    folder_.clear();
    return;
  }
  path_ = folder_ + "/socket";
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path_.size() >= sizeof address.sun_path) return;
  path_.copy(address.sun_path, path_.size());
  listener_ = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (listener_ >= 0) {
    ::bind(listener_, reinterpret_cast<sockaddr*>(&address), sizeof address);
    ::listen(listener_, 4);
  }
}

StdioGate::~StdioGate() {
  if (listener_ >= 0) ::close(listener_);
  if (folder_.empty()) return;
  ::unlink(path_.c_str());
  ::rmdir(folder_.c_str());
}

bool StdioGate::spawn() const {
  if (listener_ < 0 || command_.empty()) return false;
  std::vector<char*> arguments;
  for (const std::string& word : command_) arguments.push_back(const_cast<char*>(word.c_str()));
  arguments.push_back(nullptr);
  // Forked twice, so that process 1 reaps the command.
  const pid_t child = ::fork();
  if (child == 0) {
    if (::fork() != 0) ::_exit(0);
    take_connection(listener_, arguments.data());
  }
  if (child < 0) return false;
  while (::waitpid(child, nullptr, 0) < 0 && errno == EINTR) (void)0;
  return true;
}

}  // namespace fairlead::providers
