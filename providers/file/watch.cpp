#include "providers/file/watch.h"

#include <poll.h>
#include <spdlog/spdlog.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstdint>
#include <cstring>
#include <string_view>
#include <utility>

namespace fairlead::providers::file {
namespace {

constexpr std::uint32_t kEvents = IN_CLOSE_WRITE | IN_MODIFY | IN_CREATE | IN_DELETE | IN_MOVED_FROM |
                                  IN_MOVED_TO | IN_ATTRIB | IN_DELETE_SELF | IN_MOVE_SELF;

std::string_view remedy(int error) {
  if (error == ENOSPC) return "; fs.inotify.max_user_watches is reached: raise it by sysctl";
  if (error == EMFILE) return "; fs.inotify.max_user_instances is reached: raise it by sysctl";
  return "";
}

}  // namespace

Watch::Watch()
    : inotify_(::inotify_init1(IN_NONBLOCK | IN_CLOEXEC)), wake_(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)) {
  if (inotify_ >= 0) return;
  complete_ = false;
  said_incomplete_ = true;
  spdlog::warn("file: changes cannot be watched: {}{}; they are looked for every few seconds instead",
               std::strerror(errno), remedy(errno));
}

Watch::~Watch() {
  if (inotify_ >= 0) ::close(inotify_);
  if (wake_ >= 0) ::close(wake_);
}

// The number of the watch, or -1.
int Watch::add(const std::string& path, std::uint32_t events) {
  const int watch = ::inotify_add_watch(inotify_, path.c_str(), events);
  if (watch >= 0 || errno == ENOENT || errno == ENOTDIR) return watch;
  // That a directory may be read again is heard by the one above it.
  if (errno == EACCES && (events & IN_ONLYDIR) != 0) return watch;
  complete_ = false;
  if (!std::exchange(said_incomplete_, true))
    spdlog::warn("file: {} cannot be watched: {}{}; changes are looked for every few seconds instead", path,
                 std::strerror(errno), remedy(errno));
  return watch;
}

bool Watch::set(const Watched& directories, const std::set<std::string>& files) {
  if (inotify_ < 0) return false;
  complete_ = true;
  std::map<int, std::set<std::string>> now;
  // Added before the old ones are removed: the same inode keeps its number, and no event is lost.
  for (const std::string& file : files)
    if (const int watch = add(file, kEvents); watch >= 0) now[watch];
  for (const auto& [directory, names] : directories) {
    const int watch = add(directory, kEvents | IN_ONLYDIR);
    if (watch < 0) continue;
    const auto [at, fresh] = now.try_emplace(watch, names);
    if (fresh) continue;  // else two paths of one directory: everything that matters to either
    if (names.empty() || at->second.empty())
      at->second.clear();
    else
      at->second.insert(names.begin(), names.end());
  }
  if (complete_) said_incomplete_ = false;
  for (const auto& [watch, names] : watches_)
    if (!now.contains(watch)) ::inotify_rm_watch(inotify_, watch);
  const bool more = std::ranges::any_of(now, [this](const auto& w) { return !watches_.contains(w.first); });
  watches_ = std::move(now);
  return more;
}

bool Watch::matters(int watch, const char* name) const {
  const auto found = watches_.find(watch);
  if (found == watches_.end()) return false;
  return found->second.empty() || name[0] == 0 || found->second.contains(name);
}

bool Watch::wait(TimePoint deadline) {
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now());
  std::array<pollfd, 2> polled{{{inotify_, POLLIN, 0}, {wake_, POLLIN, 0}}};
  const int wait = static_cast<int>(std::clamp<std::int64_t>(left.count(), 0, 3'600'000));
  if (::poll(polled.data(), polled.size(), wait) <= 0) return false;
  if (polled[1].revents != 0) {
    std::uint64_t count = 0;
    [[maybe_unused]] const ssize_t got = ::read(wake_, &count, sizeof count);
  }
  if (polled[0].revents == 0) return false;
  alignas(inotify_event) char events[16384];
  bool changed = false;
  for (int i = 0; i < 64; ++i) {
    const ssize_t got = ::read(inotify_, events, sizeof events);
    if (got <= 0) break;
    for (ssize_t at = 0; at < got;) {
      const auto* event = reinterpret_cast<const inotify_event*>(events + at);
      // Which file it was does not matter further: everything is read again and compared.
      if ((event->mask & IN_Q_OVERFLOW) != 0 || matters(event->wd, event->len > 0 ? event->name : ""))
        changed = true;
      at += static_cast<ssize_t>(sizeof(inotify_event) + event->len);
    }
  }
  return changed;
}

void Watch::wake() {
  const std::uint64_t one = 1;
  [[maybe_unused]] const ssize_t put = ::write(wake_, &one, sizeof one);
}

}  // namespace fairlead::providers::file
