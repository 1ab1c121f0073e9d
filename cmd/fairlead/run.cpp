#include "cmd/fairlead/run.h"

#include "cmd/fairlead/certificates.h"
#include "cmd/fairlead/certs.h"
#include "cmd/fairlead/check.h"
#include "cmd/fairlead/control_socket.h"
#include "cmd/fairlead/healthcheck.h"
#include "cmd/fairlead/install_config.h"
#include "cmd/fairlead/install_watch.h"
#include "cmd/fairlead/log_setup.h"
#include "cmd/fairlead/notify.h"
#include "cmd/fairlead/option_reference.h"
#include "cmd/fairlead/print.h"
#include "cmd/fairlead/supervisor.h"
#include "cmd/fairlead/version.h"
#include "cmd/fairlead/views.h"
#include "cmd/fairlead/whoami.h"
#include "engine/admin/internal.h"
#include "engine/admin/metric_push.h"
#include "engine/base/memory_budget.h"
#include "engine/runtime/control.h"
#include "engine/runtime/exports.h"
#include "engine/runtime/record_sink.h"
#include "engine/schema/option.h"
#include "engine/schema/reference.h"

#include <fmt/format.h>
#include <spdlog/spdlog.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <fstream>
#include <future>
#include <span>
#include <string_view>
#include <thread>

namespace fairlead::cmd {
namespace {

using Arguments = std::vector<std::string>;

constexpr auto kConfigPoll = std::chrono::seconds(1);
constexpr auto kSoon = std::chrono::milliseconds(50);  // while entry points open, or a change settles

struct Command {
  std::string_view name;
  std::string_view does;
};
constexpr std::array<Command, 7> kCommands = {{
    {"check", "says what would not work with these flags, files and variables, and starts nothing"},
    {"healthcheck", "asks the ping of a running Fairlead: ends with 0 when it is well, else with 1"},
    {"certs", "lists, renews, prunes and exports certificates of a running Fairlead"},
    {"reference", "prints every option and label"},
    {"whoami", "serves what it was asked, to try routes with"},
    {"version", "prints the version"},
    {"help", "prints this"},
}};

// Half of what the cgroup allows, or of the machine's memory.
std::size_t default_memory_limit() {
  for (const char* path : {"/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"}) {
    std::ifstream in(path);
    std::uint64_t bytes = 0;
    // Without a limit the file holds "max", or a number beyond any memory.
    if (in >> bytes && bytes > 0 && bytes < (std::uint64_t{1} << 60)) return bytes / 2;
  }
  return static_cast<std::size_t>(::sysconf(_SC_PHYS_PAGES)) *
         static_cast<std::size_t>(::sysconf(_SC_PAGESIZE)) / 2;
}

void apply_process_options(const model::Static& install) {
  MemoryBudget::instance().set_limit(install.memory.limit > 0 ? static_cast<std::size_t>(install.memory.limit)
                                                              : default_memory_limit());
  // A proxy needs two descriptors per request in flight: take all that the limit allows.
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < limit.rlim_max) {
    limit.rlim_cur = limit.rlim_max;
    ::setrlimit(RLIMIT_NOFILE, &limit);
  }
}

int refuse(const InstallConfig& install) {
  for (const std::string& error : install.errors) fmt::print(stderr, "fairlead: {}\n", one_line(error));
  return 2;
}

sigset_t block_signals() {
  sigset_t signals;
  sigemptyset(&signals);
  for (const int signal : {SIGTERM, SIGINT, SIGHUP, SIGUSR1}) sigaddset(&signals, signal);
  ::pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  // By default these end a process, though none of them says that it should stop; as in Go they do nothing.
  // USR2 reloads other proxies, and XFSZ comes when a log reaches the limit of file sizes: that is an error
  // of its write alone.
  for (const int signal : {SIGPIPE, SIGUSR2, SIGXFSZ, SIGALRM, SIGVTALRM, SIGIO, SIGPWR})
    std::signal(signal, SIG_IGN);
  return signals;
}

int wait_for_signal(const sigset_t& signals, std::chrono::milliseconds time) {
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(time);
  const timespec wait{seconds.count(), std::chrono::nanoseconds(time - seconds).count()};
  return ::sigtimedwait(&signals, nullptr, &wait);
}

// metrics.otlp; null when it is not asked for, or its collector cannot be spoken to.
std::unique_ptr<admin::MetricPush> push_metrics(const model::Static& install,
                                                const std::shared_ptr<const admin::Sources>& sources,
                                                const runtime::RecordSink& sink) {
  if (!install.metrics.otlp) return nullptr;
  auto exporter = runtime::export_metrics(*install.metrics.otlp);
  if (!exporter) return nullptr;
  return std::make_unique<admin::MetricPush>(sources, *install.metrics.otlp, sink.pushed_metrics(),
                                             std::move(exporter));
}

// "ping.entryPoint (fairlead.yml:3:5): …" without the place, which moves with every line above it.
std::string without_place(const std::string& notice) {
  const std::size_t open = notice.find(" (");
  const std::size_t close = notice.find("): ");
  if (open == std::string::npos || close == std::string::npos || close < open) return notice;
  return notice.substr(0, open) + notice.substr(close + 1);
}

// Reads the install configuration again and applies what changed; a bad one changes nothing.
void reload(const Arguments& arguments, Supervisor& supervisor, runtime::RecordSink& sink,
            InstallConfig& current) {
  InstallConfig fresh = read_install(arguments, schema::environment_of_process());
  if (!fresh.errors.empty()) {
    for (const std::string& error : fresh.errors) spdlog::error("{}", error);
    spdlog::error("the changed install configuration is not applied; the last good one stays");
    return;
  }
  if (fresh.file != current.file && !current.file.empty() && !FileStamp(current.file).exists()) {
    spdlog::error("{} is gone; what it said last stays until it is back or Fairlead starts anew",
                  current.file);
    return;
  }
  if (was_replaced(fresh.file))
    spdlog::warn(
        "{} was replaced on the host; mounted alone, it stays here what it was when the container started; "
        "start the container anew, and mount the directory instead of the file",
        fresh.file);
  for (const std::string& notice : fresh.notices)
    if (std::ranges::find(current.notices, without_place(notice), without_place) == current.notices.end())
      spdlog::warn("{}", notice);
  if (!(fresh.options->log == current.options->log)) set_up_log(fresh.options->log);
  apply_process_options(*fresh.options);
  sink.configure(*fresh.options);
  supervisor.change(fresh.options);
  current = std::move(fresh);
}

// Worth a line only where there is something to ask by it.
void tell_without_socket(const std::string& why, const model::Static& install) {
  spdlog::log(install.certificates_resolvers.empty() ? spdlog::level::debug : spdlog::level::info,
              "{}; so `fairlead certs` cannot ask this instance; XDG_RUNTIME_DIR names another directory",
              why);
}

// Drains while a second signal can still end it at once.
bool drain(runtime::Control& control, const sigset_t& signals) {
  std::future<bool> drained = std::async(std::launch::async, [&] { return control.drain(); });
  while (drained.wait_for(std::chrono::milliseconds(10)) != std::future_status::ready) {
    const int signal = wait_for_signal(signals, std::chrono::milliseconds(50));
    if (signal != SIGTERM && signal != SIGINT) continue;
    spdlog::warn("second signal: ending now, requests in flight are cut");
    finish_log();
    ::_exit(1);
  }
  return drained.get();
}

int print_help() {
  std::string text = "Usage: fairlead [flags]\n       fairlead command [flags]\n\nCommands:\n";
  for (const Command& command : kCommands) text += fmt::format("  {:<12} {}\n", command.name, command.does);
  return print(text + "\nFlags:\n" + schema::help_text(schema::type_of<model::Static>()));
}

// Traefik would stop reading here and start without the flags behind it.
std::string stray_word(const Arguments& arguments, const std::vector<std::string>& words) {
  const std::string& word = words.front();
  std::string known;
  for (const Command& command : kCommands) {
    if (command.name == word)
      return fmt::format("a command comes before the flags: fairlead {} [flags]", word);
    known += fmt::format("{}{}", known.empty() ? "" : ", ", command.name);
  }
  const std::string before =
      arguments.size() > words.size() ? arguments[arguments.size() - words.size() - 1] : "";
  if (before.starts_with('-') && before != "--" && !before.contains('='))
    return fmt::format("\"{0}\" follows {1}, which takes a value after = only; did you mean {1}={0}?", word,
                       before);
  return fmt::format("\"{}\" is no command: there are {}; or use flags alone", word, known);
}

// Traefik's image takes its program as first word too: `command: traefik --api`.
void drop_program(Arguments& arguments) {
  if (!arguments.empty() && arguments.front() == "traefik") arguments.erase(arguments.begin());
}

int serve(const Arguments& arguments) {
  const sigset_t signals = block_signals();
  InstallConfig install = read_install(arguments, schema::environment_of_process());
  if (install.wants_help) return print_help();
  if (!install.words.empty()) install.errors.push_back(stray_word(arguments, install.words));
  if (!install.errors.empty()) return refuse(install);
  InstallWatch watch(install.file);
  set_up_log(install.options->log);
  spdlog::info("Fairlead {} starts{}", kVersion,
               install.file.empty() ? "" : fmt::format(" with {}", install.file));
  for (const std::string& notice : install.notices) spdlog::warn("{}", notice);
  apply_process_options(*install.options);

  runtime::RecordSink sink(*install.options);
  Views views;
  const int workers = install.options->workers > 0
                          ? install.options->workers
                          : std::max(1, static_cast<int>(std::thread::hardware_concurrency()));
  const auto sources = views.sources(sink);
  runtime::Control control(
      workers, sink, [sources](std::string_view name) { return admin::internal_service(name, sources); });
  Certificates certificates(control);
  views.watch(certificates);
  views.watch(control);
  Supervisor supervisor(control, install.options);
  views.watch(supervisor);
  supervisor.start();
  auto push = push_metrics(*install.options, sources, sink);
  auto socket = ControlSocket::open(default_control_path(), views.commands());
  if (!socket) tell_without_socket(socket.error().detail, *install.options);

  Notifier notifier = Notifier::from_environment();
  const auto poll = std::min<std::chrono::milliseconds>(kConfigPoll, notifier.interval());
  for (;;) {
    const int signal = wait_for_signal(signals, control.opened() && !watch.unsettled() ? poll : kSoon);
    if (signal == SIGTERM || signal == SIGINT) break;
    if (control.opened()) notifier.ready();
    // A sign of life from the workers, not only from this thread.
    if (control.all_turn()) notifier.alive(std::chrono::steady_clock::now());
    if (control.start_failed()) {
      spdlog::error("not started: an entry point cannot listen on its address, as said above");
      finish_log();
      ::_exit(1);
    }
    if (signal == SIGUSR1) {
      reopen_log();
      sink.reopen();
      spdlog::info("log files opened again");
    }
    if (signal == SIGHUP) watch.reading(install.file);
    if (signal == SIGHUP || watch.due(install.file, std::chrono::steady_clock::now())) {
      const std::shared_ptr<const model::Static> before = install.options;
      reload(arguments, supervisor, sink, install);
      if (!(before->metrics == install.options->metrics)) {
        push.reset();
        push = push_metrics(*install.options, sources, sink);
      }
    }
    if (signal == SIGHUP) supervisor.refresh();
  }
  notifier.stopping();
  spdlog::info("stopping: no new connections, requests in flight are finished");
  views.begin_draining();
  const bool clean = drain(control, signals);
  push.reset();
  supervisor.stop();
  control.stop();
  certificates.stop();
  if (!clean) spdlog::warn("graceTimeOut passed: what was still open has been closed");
  spdlog::info("stopped");
  sink.finish();
  finish_log();
  return 0;
}

}  // namespace

int run(Arguments arguments) {
  drop_program(arguments);
  const std::string command =
      arguments.empty() || arguments.front().starts_with('-') ? "" : arguments.front();
  const Arguments rest = command.empty() ? arguments : Arguments(arguments.begin() + 1, arguments.end());
  if (command == "help") return print_help();
  if (command == "version") return print(version_text());
  if (command == "reference") return print(option_reference());
  if (command == "whoami") return whoami(rest);
  if (command == "certs") return certs(rest);
  if (command == "check") {
    InstallConfig install = read_install(rest, schema::environment_of_process());
    if (install.wants_help) return print_help();
    if (!install.words.empty()) install.errors.push_back(stray_word(rest, install.words));
    return check(install);
  }
  if (command == "healthcheck") {
    auto container = rest.empty() ? arguments_of_container() : std::nullopt;
    if (container) drop_program(*container);
    const InstallConfig install =
        read_install(container ? *container : rest, schema::environment_of_process());
    if (install.wants_help) return print_help();
    // Swarm ends what is not healthy, and nobody has to have a ping.
    if (container && install.errors.empty() &&
        (!install.options->ping || install.options->ping->manual_routing)) {
      return print("OK: it runs; no more is known without a ping\n");
    }
    if (install.errors.empty()) return healthcheck(*install.options);
    refuse(install);
    return 1;  // an engine that runs this knows 0 and 1 only
  }
  return serve(arguments);
}

}  // namespace fairlead::cmd
