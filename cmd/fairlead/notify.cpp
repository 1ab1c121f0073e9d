#include "cmd/fairlead/notify.h"

#include "engine/base/fd.h"
#include "engine/base/strings.h"

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cstddef>
#include <cstdlib>
#include <cstring>

namespace fairlead::cmd {
namespace {

std::string_view variable(const char* name) {
  const char* value = std::getenv(name);
  return value ? value : "";
}

}  // namespace

Notifier Notifier::from_environment() {
  Notifier notifier;
  notifier.path_ = variable("NOTIFY_SOCKET");
  const auto pid = parse_digits(variable("WATCHDOG_PID"));
  const auto time = parse_digits(variable("WATCHDOG_USEC"));
  const bool is_ours = !pid || *pid == static_cast<std::uint64_t>(::getpid());
  if (time && *time > 0 && is_ours) {
    notifier.watched_ = true;
    notifier.interval_ = std::max<std::chrono::milliseconds>(
        std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::microseconds(*time / 2)),
        std::chrono::milliseconds(1));
  }
  return notifier;
}

void Notifier::ready() {
  if (!std::exchange(ready_, true)) send("READY=1");
}

void Notifier::stopping() { send("STOPPING=1"); }

void Notifier::alive(TimePoint now) {
  if (!watched_ || now - last_ < interval_ / 2) return;
  last_ = now;
  send("WATCHDOG=1");
}

void Notifier::send(std::string_view state) const {
  sockaddr_un address{};
  if (path_.empty() || path_.size() >= sizeof address.sun_path) return;
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, path_.data(), path_.size());
  if (path_.front() == '@') address.sun_path[0] = '\0';
  const Fd socket(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + path_.size());
  (void)::sendto(socket.get(), state.data(), state.size(), MSG_NOSIGNAL | MSG_DONTWAIT,
                 reinterpret_cast<const sockaddr*>(&address), size);
}

}  // namespace fairlead::cmd
