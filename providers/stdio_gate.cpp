#include "providers/stdio_gate.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <string_view>

namespace fairlead::providers {
namespace {

constexpr int kPatience = 10'000;         // ms that a process waits for its connection
constexpr std::size_t kMaxWords = 1'000;  // bytes of what it said last

// Between fork and exec: only async-signal-safe calls, since other threads may hold locks.
[[noreturn]] void take_connection(int listener, int words, char* const* arguments) {
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
  ::dup2(words, STDERR_FILENO);
  if (connection > STDERR_FILENO) ::close(connection);
  ::execvp(arguments[0], arguments);
  static constexpr std::string_view kMissing = "the command cannot be started; is it installed?\n";
  (void)!::write(STDERR_FILENO, kMissing.data(), kMissing.size());
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
  // Without blocking on either side: a command that nobody listens to goes on.
  if (::pipe2(words_, O_CLOEXEC | O_NONBLOCK) != 0) words_[0] = words_[1] = -1;
}

StdioGate::~StdioGate() {
  for (const int fd : {listener_, words_[0], words_[1]})
    if (fd >= 0) ::close(fd);
  if (folder_.empty()) return;
  ::unlink(path_.c_str());
  ::rmdir(folder_.c_str());
}

bool StdioGate::spawn() const {
  if (listener_ < 0 || command_.empty()) return false;
  last_words();  // of the one before
  std::vector<char*> arguments;
  for (const std::string& word : command_) arguments.push_back(const_cast<char*>(word.c_str()));
  arguments.push_back(nullptr);
  // Forked twice, so that process 1 reaps the command.
  const pid_t child = ::fork();
  if (child == 0) {
    if (::fork() != 0) ::_exit(0);
    take_connection(listener_, words_[1], arguments.data());
  }
  if (child < 0) return false;
  while (::waitpid(child, nullptr, 0) < 0 && errno == EINTR) (void)0;
  return true;
}

std::string StdioGate::last_words() const {
  std::string said;
  char bytes[4096];
  for (ssize_t got; words_[0] >= 0 && (got = ::read(words_[0], bytes, sizeof bytes)) > 0;) {
    said.append(bytes, static_cast<std::size_t>(got));
    if (said.size() > kMaxWords) said.erase(0, said.size() - kMaxWords);
  }
  while (!said.empty() && (said.back() == '\n' || said.back() == '\r')) said.pop_back();
  return said.substr(said.find_last_of("\r\n") + 1);
}

}  // namespace fairlead::providers
