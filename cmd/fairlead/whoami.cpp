#include "cmd/fairlead/whoami.h"

#include "cmd/fairlead/healthcheck.h"
#include "cmd/fairlead/print.h"
#include "cmd/fairlead/whoami_server.h"
#include "cmd/fairlead/whoami_tls.h"
#include "engine/base/strings.h"

#include <fmt/format.h>
#include <sys/signalfd.h>

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <expected>
#include <optional>

namespace fairlead::cmd {
namespace {

struct Flags {
  std::uint16_t port = 80;
  std::string name;
  bool verbose = false;
  std::optional<std::uint16_t> check;
  WhoamiTls tls;
};

// Flags that take a text, with where it goes.
std::string* text_of(Flags& flags, std::string_view flag) {
  if (flag == "name") return &flags.name;
  if (flag == "cert") return &flags.tls.cert;
  if (flag == "key") return &flags.tls.key;
  if (flag == "cacert") return &flags.tls.ca_cert;
  return nullptr;
}

std::expected<std::uint16_t, std::string> port_of(std::string_view text) {
  const auto port = parse_digits(text);
  if (!port || *port > 65535) return std::unexpected(fmt::format("whoami: {} is no port", quoted(text)));
  return static_cast<std::uint16_t>(*port);
}

constexpr const char* kUsage = R"(Usage: fairlead whoami [flags]

--port PORT     where it listens (80, or WHOAMI_PORT_NUMBER)
--name TEXT     what it calls itself (WHOAMI_NAME)
--cert FILE, --key FILE    serve HTTPS with this certificate
--cacert FILE   ask clients for a certificate of these authorities
--verbose       write down each request
--check PORT    ask a running one for its health: ends with 0 when that is 200, else with 1
)";

std::expected<Flags, std::string> parse(std::span<const std::string> arguments) {
  Flags flags;
  if (const char* name = std::getenv("WHOAMI_NAME")) flags.name = name;
  if (const char* text = std::getenv("WHOAMI_PORT_NUMBER"); text && *text) {
    const auto port = port_of(text);
    if (!port) return std::unexpected(port.error());
    flags.port = *port;
  }
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    std::string_view flag = arguments[i];
    std::optional<std::string_view> value;
    if (const std::size_t equals = flag.find('='); equals != std::string_view::npos) {
      value = flag.substr(equals + 1);
      flag = flag.substr(0, equals);
    }
    if (!flag.starts_with('-'))
      return std::unexpected(fmt::format("whoami: unexpected word {}", quoted(flag)));
    flag.remove_prefix(flag.starts_with("--") ? 2 : 1);
    if (flag == "verbose") {
      flags.verbose = !value || *value == "true" || *value == "1";
      continue;
    }
    std::string* const text = text_of(flags, flag);
    if (!text && flag != "port" && flag != "check")
      return std::unexpected(
          fmt::format("whoami: unknown flag {}; there are --port, --name, --cert, --key, "
                      "--cacert, --verbose and --check",
                      quoted(flag)));
    if (!value) {
      if (++i == arguments.size()) return std::unexpected(fmt::format("whoami: --{} needs a value", flag));
      value = arguments[i];
    }
    if (text) {
      *text = *value;
      continue;
    }
    const auto port = port_of(*value);
    if (!port) return std::unexpected(port.error());
    if (flag == "port")
      flags.port = *port;
    else
      flags.check = *port;
  }
  if (flags.tls.cert.empty() != flags.tls.key.empty())
    return std::unexpected("whoami: --cert and --key go together");
  if (!flags.tls.ca_cert.empty() && flags.tls.cert.empty())
    return std::unexpected("whoami: --cacert needs --cert and --key");
  return flags;
}

int check(std::uint16_t port) {
  std::string problem;
  const int status = ask_status("127.0.0.1", port, "/health", false, problem);
  if (status == 200) return 0;
  fmt::print(stderr, "whoami on port {}: {}\n", port, status ? fmt::format("status {}", status) : problem);
  return 1;
}

// Ends the loop at the first signal.
class Stopper final : event::Handler {
 public:
  explicit Stopper(event::Loop& loop) : loop_(loop) {
    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGINT);
    ::pthread_sigmask(SIG_BLOCK, &signals, nullptr);
    fd_ = Fd(::signalfd(-1, &signals, SFD_NONBLOCK | SFD_CLOEXEC));
    loop.add(fd_.get(), *this, EPOLLIN);
  }

 private:
  void on_event(std::uint32_t) override { loop_.stop(); }

  event::Loop& loop_;
  Fd fd_;
};

}  // namespace

int whoami(std::span<const std::string> arguments) {
  for (const char* help : {"--help", "-help", "-h"})
    if (std::ranges::find(arguments, help) != arguments.end()) return print(kUsage);
  const auto flags = parse(arguments);
  if (!flags) {
    fmt::print(stderr, "{}\n", flags.error());
    return 2;
  }
  if (flags->check) return check(*flags->check);
  tls::ContextPtr tls;
  if (!flags->tls.cert.empty()) {
    auto made = make_whoami_context(flags->tls);
    if (!made) {
      fmt::print(stderr, "whoami: {}\n", made.error());
      return 1;
    }
    tls = std::move(*made);
  }
  std::signal(SIGPIPE, SIG_IGN);
  Result<Fd> listener = net::open_listener({.host = "", .port = flags->port}, false);
  if (!listener) {
    fmt::print(stderr, "whoami: {}\n", listener.error().detail);
    return 1;
  }
  event::Loop loop;
  const Stopper stopper(loop);
  WhoamiFacts facts = WhoamiFacts::of_machine();
  facts.name = flags->name;
  const std::uint16_t port = net::bound_port(listener->get());
  const WhoamiServer server(loop, std::move(*listener), std::move(facts), flags->verbose, std::move(tls));
  fmt::print("Starting up on port {}\n", port);
  std::fflush(stdout);
  loop.run();
  return 0;
}

}  // namespace fairlead::cmd
