#include "engine/observe/line_writer.h"

#include "engine/base/append_file.h"

#include <fcntl.h>
#include <poll.h>
#include <spdlog/spdlog.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

namespace fairlead::observe {
namespace {

// Lines given within this time are written together: a wake-up per request would cost more than the line.
constexpr auto kGather = std::chrono::milliseconds(5);
constexpr auto kTryOpenAgain = std::chrono::minutes(1);
constexpr auto kSayDroppedAgain = std::chrono::seconds(10);
constexpr std::size_t kSpare = 16;
constexpr std::size_t kMaxSpareBytes = 256 * 1024;
constexpr std::size_t kPipePiece = 4096;  // PIPE_BUF: taken as a whole when poll() says writable
constexpr int kPollMs = 200;

}  // namespace

LineWriter::LineWriter(std::string path, std::size_t max_waiting_bytes)
    : path_(std::move(path)), max_waiting_(max_waiting_bytes) {
  open();
  thread_ = std::thread([this] { run(); });
}

LineWriter::~LineWriter() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  given_.notify_one();
  thread_.join();
}

void LineWriter::give(std::string& lines) {
  if (lines.empty()) return;
  bool wake = false;
  {
    const std::lock_guard lock(mutex_);
    if (waiting_bytes_ + lines.size() <= max_waiting_) {
      waiting_bytes_ += lines.size();
      ++given_count_;
      waiting_.push_back(std::move(lines));
      lines = {};
      if (!spare_.empty()) {
        lines = std::move(spare_.back());
        spare_.pop_back();
      }
      wake = idle_;
    } else {
      drop(lines);
      lines.clear();
    }
  }
  if (wake) given_.notify_one();
}

void LineWriter::reopen() {
  {
    const std::lock_guard lock(mutex_);
    reopen_ = true;
  }
  given_.notify_one();
}

bool LineWriter::flush(Duration at_most) {
  std::unique_lock lock(mutex_);
  const std::uint64_t goal = given_count_;
  hurry_ = true;
  given_.notify_one();
  return written_.wait_for(lock, at_most, [&] { return written_count_ >= goal; });
}

void LineWriter::run() {
  std::vector<std::string> batch;
  std::unique_lock lock(mutex_);
  for (;;) {
    idle_ = true;
    given_.wait(lock, [this] { return !waiting_.empty() || reopen_ || stopping_; });
    idle_ = false;
    given_.wait_for(lock, kGather, [this] { return stopping_ || hurry_ || reopen_; });
    if (waiting_.empty() && !reopen_) {
      if (stopping_) return;
      continue;
    }
    batch.swap(waiting_);
    waiting_bytes_ = 0;
    hurry_ = false;
    const std::uint64_t goal = given_count_;
    const bool again = std::exchange(reopen_, false);
    lock.unlock();
    if (again) open();
    for (const std::string& lines : batch) write(lines);
    say_dropped();
    lock.lock();
    for (std::string& lines : batch)
      if (spare_.size() < kSpare && lines.capacity() <= kMaxSpareBytes) {
        lines.clear();
        spare_.push_back(std::move(lines));
      }
    batch.clear();
    written_count_ = goal;
    written_.notify_all();
  }
}

void LineWriter::open() {
  tried_open_ = SystemClock::instance().now();
  struct stat before{};
  const bool had = file_ && ::fstat(file_.get(), &before) == 0;
  std::string trouble;
  if (path_.empty()) {
    file_ = Fd(::fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3));
    if (!file_) trouble = std::strerror(errno);
  } else if (auto opened = open_for_appending(path_, 0664)) {
    file_ = std::move(*opened);
  } else {
    file_ = Fd();
    trouble = std::move(opened.error());
  }
  if (!file_) {
    spdlog::error("access log {}: {}; its lines are lost until it can be opened",
                  path_.empty() ? "stdout" : path_, trouble);
    return;
  }
  struct stat about{};
  slow_kind_ = ::fstat(file_.get(), &about) == 0 && !S_ISREG(about.st_mode);
  if (!had || about.st_dev != before.st_dev || about.st_ino != before.st_ino) rest_of_line_.clear();
}

void LineWriter::write(const std::string& lines) {
  if (!file_ && SystemClock::instance().now() - tried_open_ > kTryOpenAgain) open();
  if (!file_) return drop(lines);
  rest_of_line_ = put(rest_of_line_);
  if (!rest_of_line_.empty()) return drop(lines);
  const std::string_view left = put(lines);
  if (left.empty()) return;
  const bool between_lines = left.size() == lines.size() || lines[lines.size() - left.size() - 1] == '\n';
  if (!between_lines) rest_of_line_ = left.substr(0, left.find('\n') + 1);
  drop(std::string(left.substr(rest_of_line_.size())));
}

// What could not be written of it.
std::string_view LineWriter::put(std::string_view left) {
  while (!left.empty()) {
    if (slow_kind_ && !wait_writable()) return left;
    const std::size_t piece = slow_kind_ ? std::min(left.size(), kPipePiece) : left.size();
    const ssize_t wrote = ::write(file_.get(), left.data(), piece);
    if (wrote >= 0) {
      left.remove_prefix(static_cast<std::size_t>(wrote));
    } else if (errno != EINTR && errno != EAGAIN) {
      const int error = errno;
      if (dropped_.load(std::memory_order_relaxed) == said_dropped_)
        spdlog::error("access log {}: {}", path_.empty() ? "stdout" : path_, std::strerror(error));
      return left;
    }
  }
  return left;
}

// False when nobody reads any more and the program wants to end.
bool LineWriter::wait_writable() {
  for (;;) {
    pollfd wanted{.fd = file_.get(), .events = POLLOUT, .revents = 0};
    if (::poll(&wanted, 1, gave_up_ ? 0 : kPollMs) > 0) return true;
    gave_up_ = stopping_;  // once, not for each of many pieces
    if (gave_up_) return false;
  }
}

void LineWriter::drop(const std::string& lines) {
  dropped_.fetch_add(static_cast<std::uint64_t>(std::ranges::count(lines, '\n')), std::memory_order_relaxed);
}

void LineWriter::say_dropped() {
  const std::uint64_t dropped = dropped_.load(std::memory_order_relaxed);
  const TimePoint now = SystemClock::instance().now();
  if (dropped == said_dropped_ || now - said_at_ < kSayDroppedAgain) return;
  spdlog::warn("access log {}: {} lines were lost, because they could not be written fast enough or at all",
               path_.empty() ? "stdout" : path_, dropped - said_dropped_);
  said_dropped_ = dropped;
  said_at_ = now;
}

}  // namespace fairlead::observe
