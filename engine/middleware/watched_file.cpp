#include "engine/middleware/watched_file.h"

#include "engine/base/clock.h"
#include "engine/base/fd.h"
#include "engine/base/file_stamp.h"

#include <fcntl.h>
#include <pthread.h>

#include <algorithm>
#include <cerrno>
#include <condition_variable>
#include <csignal>
#include <cstring>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

namespace fairlead::middleware {
namespace {

constexpr auto kInterval = std::chrono::seconds(1);
constexpr auto kEmptyAfter = std::chrono::seconds(2);
constexpr std::size_t kMaxBytes = std::size_t{16} << 20;

}  // namespace

Configured<std::string> read_whole_file(const std::string& path) {
  const auto failed = [&](const char* what) {
    return misconfigured("", what + (' ' + path) + ": " + std::strerror(errno));
  };
  const Fd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (!file) return failed("open");
  std::string contents;
  while (contents.size() <= kMaxBytes) {
    const std::size_t used = contents.size();
    contents.resize(used + 64 * 1024);
    const auto got = ::read(file.get(), contents.data() + used, contents.size() - used);
    contents.resize(used + static_cast<std::size_t>(std::max<ssize_t>(got, 0)));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return failed("read");
    if (got == 0) return contents;
  }
  return misconfigured("", path + " is larger than 16 MiB");
}

struct WatchedFile::Watch {
  void look() {
    const std::lock_guard lock(mutex);
    const FileStamp seen(path);
    if (gone || !seen.exists()) return;
    if (stamp == seen && !empty_since) return;
    auto read = read_whole_file(path);
    if (!read) return;
    const TimePoint time = SystemClock::instance().now();
    if (read->empty() && !contents.empty()) {
      if (!empty_since) empty_since = time;
      if (time - *empty_since < kEmptyAfter) return;
    }
    empty_since.reset();
    stamp = seen;
    if (*read == contents) return;
    contents = std::move(*read);
    changed(contents);
  }

  std::string path;
  Changed changed;
  std::mutex mutex;  // guards what follows
  std::string contents;
  std::optional<FileStamp> stamp;
  std::optional<TimePoint> empty_since;
  bool gone = false;
};

class FileWatcher {
 public:
  static FileWatcher& shared() {
    static FileWatcher watcher;
    return watcher;
  }

  void add(const std::shared_ptr<WatchedFile::Watch>& watch) {
    const std::lock_guard lock(mutex_);
    watches_.push_back(watch);
    if (!thread_.joinable()) start();
    wake_.notify_one();
  }

  void look() {
    std::vector<std::shared_ptr<WatchedFile::Watch>> now;
    {
      const std::lock_guard lock(mutex_);
      std::erase_if(watches_, [](const auto& watch) { return watch.expired(); });
      for (const auto& watch : watches_)
        if (auto alive = watch.lock()) now.push_back(std::move(alive));
    }
    for (const auto& watch : now) watch->look();
  }

  ~FileWatcher() {
    {
      const std::lock_guard lock(mutex_);
      ending_ = true;
    }
    wake_.notify_one();
    if (thread_.joinable()) thread_.join();
  }

 private:
  void start() {
    sigset_t all;
    sigset_t before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);  // signals are the main thread's business
    thread_ = std::thread([this] { run(); });
    pthread_sigmask(SIG_SETMASK, &before, nullptr);
  }

  void run() {
    std::unique_lock lock(mutex_);
    while (!ending_) {
      if (watches_.empty())
        wake_.wait(lock);
      else
        wake_.wait_for(lock, kInterval, [this] { return ending_; });
      if (ending_) return;
      lock.unlock();
      look();
      lock.lock();
    }
  }

  std::mutex mutex_;
  std::condition_variable wake_;
  std::vector<std::weak_ptr<WatchedFile::Watch>> watches_;
  std::thread thread_;
  bool ending_ = false;
};

WatchedFile::WatchedFile(std::string path, std::string contents, Changed changed)
    : watch_(std::make_shared<Watch>()) {
  watch_->path = std::move(path);
  watch_->contents = std::move(contents);
  watch_->changed = std::move(changed);
  FileWatcher::shared().add(watch_);
}

WatchedFile::~WatchedFile() {
  const std::lock_guard lock(watch_->mutex);
  watch_->gone = true;
}

void WatchedFile::look_at_all() { FileWatcher::shared().look(); }

}  // namespace fairlead::middleware
