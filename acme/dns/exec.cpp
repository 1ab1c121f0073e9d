#include "acme/dns/exec.h"

#include "engine/base/fd.h"
#include "engine/base/strings.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <spawn.h>
#include <spdlog/spdlog.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstring>

namespace fairlead::acme::dns {
namespace {

constexpr Duration kPatience = std::chrono::minutes(10);  // hooks may wait for the record by themselves
constexpr int kLook = 50;                                 // ms between looks at the stop
constexpr std::size_t kMaxLine = 1024;

class Hook final : public Provider {
 public:
  Hook(std::string program, bool raw) : program_(std::move(program)), raw_(raw) {}
  Result<> present(const Record& record, std::stop_token stop) override {
    return run("present", record, stop);
  }
  Result<> clean_up(const Record& record, std::stop_token stop) override {
    return run("cleanup", record, stop);
  }

 private:
  Result<> run(const char* what, const Record& record, const std::stop_token& stop) const {
    // A token may begin with a hyphen, hence "--".
    const std::vector<std::string> arguments =
        raw_ ? std::vector<std::string>{program_,      what,         "--",
                                        record.domain, record.token, record.key_authorization}
             : std::vector<std::string>{program_, what, record.name + ".", record.value};
    auto done = run_program(arguments, kPatience, stop);
    if (!done) done.error().detail = fmt::format("EXEC_PATH {} {}: {}", program_, what, done.error().detail);
    return done;
  }

  const std::string program_;
  const bool raw_;
};

// What a program prints, line by line into the log; the last line is kept for the error.
class Printed {
 public:
  explicit Printed(std::string program) : program_(std::move(program)) {}
  void add(std::string_view bytes) {
    for (const char c : bytes) {
      if (c == '\n')
        flush();
      else if (line_.size() < kMaxLine)
        line_ += c;
    }
  }
  void flush() {
    if (line_.empty()) return;
    spdlog::info("{}: {}", program_, fairlead::quoted(line_, kMaxLine));
    last_ = std::exchange(line_, {});
  }
  const std::string& last() const { return last_; }

 private:
  const std::string program_;
  std::string line_, last_;
};

// Starts it in a process group of its own, with an empty signal mask; 0 or an errno.
int start(const std::vector<std::string>& arguments, int output, pid_t& pid) {
  std::vector<char*> words;
  for (const std::string& argument : arguments) words.push_back(const_cast<char*>(argument.c_str()));
  words.push_back(nullptr);
  posix_spawn_file_actions_t files;
  posix_spawn_file_actions_init(&files);
  posix_spawn_file_actions_addopen(&files, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_adddup2(&files, output, STDOUT_FILENO);
  posix_spawn_file_actions_adddup2(&files, output, STDERR_FILENO);
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  sigset_t none, usual;
  sigemptyset(&none);
  sigfillset(&usual);  // what we ignore it would ignore too
  posix_spawnattr_setsigmask(&attributes, &none);
  posix_spawnattr_setsigdefault(&attributes, &usual);
  posix_spawnattr_setflags(&attributes,
                           POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
  const int error = ::posix_spawnp(&pid, words[0], &files, &attributes, words.data(), ::environ);
  posix_spawnattr_destroy(&attributes);
  posix_spawn_file_actions_destroy(&files);
  return error;
}

}  // namespace

Result<> run_program(const std::vector<std::string>& arguments, Duration patience, std::stop_token stop) {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0)
    return fail(500, Fault::Proxy, fmt::format("pipe: {}", std::strerror(errno)));
  const Fd from(ends[0]);
  Fd into(ends[1]);
  pid_t pid = 0;
  if (const int error = start(arguments, into.get(), pid))
    return fail(500, Fault::Proxy, fmt::format("cannot be started: {}", std::strerror(error)));
  into.reset();

  Printed printed(arguments.front());
  const TimePoint deadline = SystemClock::instance().now() + patience;
  bool open = true, late = false;
  int status = 0;
  for (pid_t ended = 0; ended == 0;) {
    pollfd one{from.get(), POLLIN, 0};
    ::poll(&one, open ? 1 : 0, kLook);
    char bytes[4096];
    if (open && one.revents) {
      const ssize_t got = ::read(from.get(), bytes, sizeof bytes);
      if (got > 0)
        printed.add({bytes, static_cast<std::size_t>(got)});
      else
        open = false;
      if (got > 0) continue;  // what it printed first, then how it ended
    }
    late = SystemClock::instance().now() >= deadline;
    if (late || stop.stop_requested()) {
      ::kill(-pid, SIGKILL);
      ended = ::waitpid(pid, &status, 0);
    } else {
      ended = ::waitpid(pid, &status, WNOHANG);
    }
  }
  printed.flush();
  if (stop.stop_requested()) return fail(503, Fault::Proxy, "stopped");
  if (late)
    return fail(504, Fault::Upstream,
                fmt::format("not finished after {} s", patience / std::chrono::seconds(1)));
  if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return {};
  const std::string how = WIFEXITED(status) ? fmt::format("ended with status {}", WEXITSTATUS(status))
                                            : fmt::format("ended by signal {}", WTERMSIG(status));
  return fail(
      502, Fault::Upstream,
      printed.last().empty() ? how : fmt::format("{}: {}", how, fairlead::quoted(printed.last(), kMaxLine)));
}

Configured<MadeProvider> make_exec(Settings settings) {
  const std::string program = settings.need({"EXEC_PATH"});
  const std::string mode = settings.text({"EXEC_MODE"});
  if (!mode.empty() && mode != "RAW")
    settings.complain(fmt::format("EXEC_MODE is {}; RAW or nothing is expected", fairlead::quoted(mode)));
  if (program.contains('/') && ::access(program.c_str(), X_OK) != 0)
    settings.complain(fmt::format("EXEC_PATH {}: {}", program, std::strerror(errno)));
  const Timing timing = settings.timing();
  if (auto verdict = settings.verdict(); !verdict) return std::unexpected(verdict.error());
  return MadeProvider{std::make_unique<Hook>(program, mode == "RAW"), timing};
}

}  // namespace fairlead::acme::dns
