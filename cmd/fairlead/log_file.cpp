#include "cmd/fairlead/log_file.h"

#include "engine/base/append_file.h"
#include "engine/base/strings.h"

#include <fcntl.h>
#include <fmt/chrono.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <utility>
#include <vector>

namespace fairlead::cmd {
namespace {

namespace fs = std::filesystem;

constexpr int kPatienceMs = 2000;     // for a reader that takes nothing
constexpr std::size_t kPiece = 4096;  // PIPE_BUF: taken as a whole when poll() says writable

void write_all(int fd, std::string_view text) {
  while (!text.empty()) {
    const ssize_t wrote = ::write(fd, text.data(), text.size());
    if (wrote < 0 && errno == EINTR) continue;
    if (wrote < 0) return;
    text.remove_prefix(static_cast<std::size_t>(wrote));
  }
}

// "/var/log/fairlead.log" → "/var/log/fairlead-2026-01-02T15-04-05.000.log", in UTC.
fs::path backup_name(const fs::path& path) {
  const auto now = std::chrono::floor<std::chrono::milliseconds>(std::chrono::system_clock::now());
  const auto second = std::chrono::floor<std::chrono::seconds>(now);
  return path.parent_path() / fmt::format("{}-{:%Y-%m-%dT%H-%M-%S}.{:03}{}", path.stem().string(),
                                          fmt::gmtime(std::chrono::system_clock::to_time_t(second)),
                                          (now - second).count(), path.extension().string());
}

// Compressed beside itself, then removed. Whatever fails leaves the plain file.
void compress(const fs::path& path) {
  const fs::path packed = path.string() + ".gz";
  const Fd in(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  const gzFile out = in ? ::gzopen(packed.c_str(), "wb") : nullptr;
  if (!out) return;
  std::array<char, 64 * 1024> block;
  bool good = true;
  for (;;) {
    const ssize_t got = ::read(in.get(), block.data(), block.size());
    if (got <= 0) {
      good = good && got == 0;
      break;
    }
    good = good && ::gzwrite(out, block.data(), static_cast<unsigned>(got)) == got;
    if (!good) break;
  }
  good = ::gzclose(out) == Z_OK && good;
  std::error_code ignored;
  fs::remove(good ? path : packed, ignored);
}

}  // namespace

LogFile::LogFile(Options options) : options_(std::move(options)) { open(); }

LogFile::~LogFile() {
  if (tidying_.joinable()) tidying_.join();
}

void LogFile::open() {
  size_ = 0;
  if (options_.path.empty()) {
    file_ = Fd(::fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3));
    return;
  }
  auto opened = open_for_appending(options_.path, 0600);
  if (!opened) {
    file_ = Fd();
    return send(fmt::format("log {}: {}; lines go to stderr instead\n", options_.path, opened.error()));
  }
  file_ = std::move(*opened);
  struct stat about{};
  if (::fstat(file_.get(), &about) == 0) size_ = static_cast<std::uint64_t>(about.st_size);
}

// A pipe or terminal whose reader stalls loses lines: whoever waits for the lock of this log, as the end of
// the program does, must not wait for that reader.
void LogFile::send(std::string_view line) {
  const int fd = file_ ? file_.get() : STDERR_FILENO;
  struct stat about{};
  if (::fstat(fd, &about) == 0 && S_ISREG(about.st_mode)) return write_all(fd, line);
  for (std::string_view left = line; !left.empty();) {
    pollfd wanted{.fd = fd, .events = POLLOUT, .revents = 0};
    if (const int ready = ::poll(&wanted, 1, stalled_ ? 0 : kPatienceMs); ready <= 0) {
      if (ready < 0 && errno == EINTR) continue;
      stalled_ = true;
      torn_ = torn_ || left.size() < line.size();
      return;
    }
    stalled_ = false;
    if (std::exchange(torn_, false)) write_all(fd, "\n");
    write_all(fd, left.substr(0, kPiece));
    left.remove_prefix(std::min(left.size(), kPiece));
  }
}

void LogFile::write(std::string_view line) {
  const bool full = options_.max_bytes != 0 && size_ != 0 && size_ + line.size() > options_.max_bytes;
  if (full && file_ && !options_.path.empty()) rotate();
  send(line);
  size_ += line.size();
}

void LogFile::reopen() { open(); }

void LogFile::rotate() {
  const fs::path rotated = backup_name(options_.path);
  std::error_code failed;
  fs::rename(options_.path, rotated, failed);
  open();
  if (failed) return;
  if (tidying_.joinable()) tidying_.join();
  tidying_ = std::thread([options = options_, rotated] { tidy(options, rotated); });
}

void LogFile::tidy(const Options& options, const std::string& rotated) {
  if (options.compress) compress(rotated);
  const fs::path path(options.path);
  const std::string prefix = path.stem().string() + "-";
  const std::string suffix = path.extension().string();
  std::vector<fs::path> backups;
  std::error_code failed;
  for (const fs::directory_entry& entry :
       fs::directory_iterator(path.has_parent_path() ? path.parent_path() : fs::path("."), failed)) {
    const std::string name = entry.path().filename();
    const std::string_view stem =
        name.ends_with(".gz") ? std::string_view(name).substr(0, name.size() - 3) : name;
    // The date has 23 characters: other files beside the log are not ours to remove.
    if (stem.starts_with(prefix) && stem.ends_with(suffix) &&
        stem.size() == prefix.size() + 23 + suffix.size() && is_digit(stem[prefix.size()]))
      backups.push_back(entry.path());
  }
  std::ranges::sort(backups, std::greater<>());  // names sort by time: the newest first
  const auto oldest = fs::file_time_type::clock::now() -
                      std::chrono::hours(24) *
                          static_cast<std::int64_t>(std::min<std::uint64_t>(options.max_age_days, 36500));
  for (std::size_t i = 0; i < backups.size(); ++i) {
    const bool too_many = options.max_backups != 0 && i >= options.max_backups;
    const bool too_old = options.max_age_days != 0 && fs::last_write_time(backups[i], failed) < oldest;
    if (too_many || too_old) fs::remove(backups[i], failed);
  }
}

}  // namespace fairlead::cmd
