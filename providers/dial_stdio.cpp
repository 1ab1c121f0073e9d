#include "providers/dial_stdio.h"

#include <fmt/format.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstring>

namespace fairlead::providers {

std::expected<int, std::string> dial_stdio(const std::vector<std::string>& command) {
  std::vector<char*> arguments;
  for (const std::string& word : command) arguments.push_back(const_cast<char*>(word.c_str()));
  arguments.push_back(nullptr);
  int ends[2];
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0)
    return std::unexpected(fmt::format("socketpair: {}", std::strerror(errno)));

  // Forked twice, so that process 1 reaps the command. Only async-signal-safe calls between fork and exec:
  // other threads may hold locks.
  const pid_t child = ::fork();
  if (child == 0) {
    if (::fork() != 0) ::_exit(0);
    ::setsid();
    sigset_t none;
    sigemptyset(&none);
    ::sigprocmask(SIG_SETMASK, &none, nullptr);
    ::dup2(ends[1], STDIN_FILENO);
    ::dup2(ends[1], STDOUT_FILENO);
    ::execvp(arguments[0], arguments.data());
    ::_exit(127);
  }
  const int why = errno;
  ::close(ends[1]);
  if (child < 0) {
    ::close(ends[0]);
    return std::unexpected(fmt::format("fork: {}", std::strerror(why)));
  }
  while (::waitpid(child, nullptr, 0) < 0 && errno == EINTR) (void)0;
  return ends[0];
}

}  // namespace fairlead::providers
