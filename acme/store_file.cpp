#include "acme/store_file.h"

#include "engine/base/strings.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <spdlog/spdlog.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <thread>

namespace fairlead::acme {
namespace {

constexpr mode_t kMode = 0600;
constexpr off_t kMaxFile = 1L << 30;  // bytes
constexpr int kLockTries = 1000;      // of 10 ms
// Bytes of the lock file that mean something.
constexpr off_t kWhole = 0;
constexpr off_t kPresence = 1;
constexpr off_t kNames = 16;

std::string folder_of(const std::string& path) {
  const auto folder = std::filesystem::path(path).parent_path().string();
  return folder.empty() ? "." : folder;
}

// What an image that runs as root has left is not for one that does not: both users are named.
std::string owner_of(const std::string& path) {
  struct stat found{};
  const std::string folder = folder_of(path);
  const bool exists = ::stat(path.c_str(), &found) == 0;
  if (!exists && ::stat(folder.c_str(), &found) != 0) return {};
  return fmt::format("; {} is of user {}, this process of user {}", exists ? "it" : folder, found.st_uid,
                     ::geteuid());
}

std::unexpected<ConfigError> failed(std::string_view what, const std::string& path) {
  const int why = errno;
  auto problem = misconfigured(
      path, fmt::format("{}: {}{}", what, std::strerror(why), why == EACCES ? owner_of(path) : ""));
  errno = why;
  return problem;
}

bool set_lock(int fd, short type, off_t at, int command = F_OFD_SETLK) {
  struct flock lock{};
  lock.l_type = type;
  lock.l_whence = SEEK_SET;
  lock.l_start = at;
  lock.l_len = 1;
  return ::fcntl(fd, command, &lock) == 0;
}

off_t place_of(std::string_view name) {
  return kNames + static_cast<off_t>(fnv1a(name) % (std::uint64_t{1} << 40));
}

bool write_all(int fd, std::string_view content) {
  while (!content.empty()) {
    const ssize_t done = ::write(fd, content.data(), content.size());
    if (done < 0 && errno == EINTR) continue;
    if (done <= 0) return false;
    content.remove_prefix(static_cast<std::size_t>(done));
  }
  return true;
}

// Writes in blocks what comes in pieces; errno tells why it failed.
bool write_all(int fd, const StoreFile::Content& content) {
  constexpr std::size_t kBlock = 256 * 1024;
  std::string block;
  int problem = 0;
  const auto flush = [&] {
    if (problem == 0 && !write_all(fd, block)) problem = errno;
    block.clear();
  };
  content([&](std::string_view piece) {
    block += piece;
    if (block.size() >= kBlock) flush();
  });
  flush();
  errno = problem;
  return problem == 0;
}

void sync_folder(const std::string& path) {
  const Fd folder(::open(folder_of(path).c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (folder) ::fsync(folder.get());
}

// Whether the file can be replaced by no other, but perhaps written: a mount, or a directory of others.
bool only_in_place(int why) {
  return why == EBUSY || why == EXDEV || why == EPERM || why == EACCES || why == EROFS;
}

Configured<Fd> create(const std::string& path) {
  ::unlink(path.c_str());
  Fd file(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, kMode));
  if (!file) return failed("cannot be created", path);
  return file;
}

// Blanks behind the content, which mean nothing in JSON: what is longer afterwards has room for as much.
// Asked for by fallocate(2), some file systems would only say that they cannot tell.
bool pad(int file, off_t from, off_t to) {
  const std::string blanks(64 * 1024, ' ');
  while (from < to) {
    const auto piece = static_cast<std::size_t>(std::min<off_t>(to - from, blanks.size()));
    const ssize_t done = ::pwrite(file, blanks.data(), piece, from);
    if (done < 0 && errno == EINTR) continue;
    if (done <= 0) return false;
    from += done;
  }
  return ::fsync(file) == 0;
}

}  // namespace

std::string StoreFile::real_path(const std::string& path) {
  constexpr int kMaxLinks = 40;  // as the kernel
  namespace fs = std::filesystem;
  std::error_code problem;
  // weakly_canonical() would take a link whose end does not exist yet for the file to be made, and leave a
  // path relative whose beginning does not.
  fs::path at = fs::absolute(path, problem);
  for (int links = 0; links < kMaxLinks && fs::is_symlink(at, problem) && !fs::exists(at, problem); ++links)
    at = at.parent_path() / fs::read_symlink(at, problem);
  const auto real = fs::weakly_canonical(at, problem);
  return problem || real.empty() ? path : real.string();
}

StoreFile::StoreFile(std::string path) : path_(real_path(path)) {
  lock_file_ = Fd(::open((path_ + ".lock").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, kMode));
  if (!lock_file_)
    spdlog::debug("{}.lock: {}; other instances are not noticed", path_, std::strerror(errno));
  else
    set_lock(lock_file_.get(), F_RDLCK, kPresence);
}

Configured<Fd> StoreFile::open_as_it_is(const std::string& path) {
  Fd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (!file && errno == ENOENT) return Fd();
  if (!file) return failed("cannot be opened", path);
  struct stat found{};
  if (::fstat(file.get(), &found) != 0) return failed("cannot be looked at", path);
  if (!S_ISREG(found.st_mode)) return misconfigured(path, "is no file");
  if (found.st_size > kMaxFile) return misconfigured(path, "is larger than 1 GiB");
  return file;
}

Configured<Fd> StoreFile::open() {
  auto file = open_as_it_is(path_);
  struct stat found{};
  if (file && *file && ::fstat(file->get(), &found) == 0 && (found.st_mode & 0077) != 0) {
    const bool mended = ::fchmod(file->get(), kMode) == 0;
    spdlog::warn("{} holds private keys and had the mode {:o}; {}", path_, found.st_mode & 0777,
                 mended ? "it is 600 now" : fmt::format("600 could not be set: {}", std::strerror(errno)));
  }
  return file;
}

Configured<Fd> StoreFile::open_copy() const {
  const std::string path = path_ + ".copy";
  Fd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
  if (!file) return failed("cannot be opened", path);
  return file;
}

Configured<> StoreFile::write(const Content& content) {
  struct stat found{};
  const bool exists = ::stat(path_.c_str(), &found) == 0;
  const std::string temporary = path_ + ".tmp";
  const auto file = create(temporary);
  if (!file)
    return exists && only_in_place(errno) ? rewrite_in_place(content) : std::unexpected(file.error());
  // It may belong to another user, who must be able to read it again.
  if (exists && (found.st_uid != ::geteuid() || found.st_gid != ::getegid()) &&
      ::fchown(file->get(), found.st_uid, found.st_gid) != 0)
    spdlog::debug("{}: owner not kept: {}", temporary, std::strerror(errno));
  Configured<> done;
  if (!write_all(file->get(), content) || ::fsync(file->get()) != 0) {
    done = failed("cannot be written", temporary);
  } else if (::rename(temporary.c_str(), path_.c_str()) == 0) {
    sync_folder(path_);
    return {};
  } else if (!exists || !only_in_place(errno)) {
    done = failed("cannot be replaced", path_);
  } else {
    return rewrite_in_place(content);
  }
  ::unlink(temporary.c_str());
  return done;
}

// What was written beside the file, if anything could be, is its copy meanwhile; else memory is.
Configured<> StoreFile::rewrite_in_place(const Content& content) {
  const std::string temporary = path_ + ".tmp";
  const std::string copy = path_ + ".copy";
  const bool beside = ::rename(temporary.c_str(), copy.c_str()) == 0;
  if (beside) sync_folder(path_);
  const Fd file(::open(path_.c_str(), O_WRONLY | O_CLOEXEC));
  struct stat found{};
  if (!file || ::fstat(file.get(), &found) != 0) {
    auto problem = failed("cannot be written", path_);
    if (beside) ::unlink(copy.c_str());
    return problem;
  }
  off_t size = 0;
  content([&size](std::string_view piece) { size += static_cast<off_t>(piece.size()); });
  // Room first: running out of it half-way would leave half a file.
  if (!pad(file.get(), found.st_size, size)) {
    auto problem = failed("cannot be written", path_);
    if (::ftruncate(file.get(), found.st_size) != 0)
      spdlog::debug("{}: blanks are left behind it: {}", path_, std::strerror(errno));
    if (beside) ::unlink(copy.c_str());
    return problem;
  }
  // From here on a failure leaves the copy to who reads it.
  if (!write_all(file.get(), content) || ::ftruncate(file.get(), size) != 0 || ::fsync(file.get()) != 0)
    return failed("cannot be written", path_);
  if (beside) ::unlink(copy.c_str());
  return {};
}

StoreFile::Guard::~Guard() {
  if (fd_ >= 0) set_lock(fd_, F_UNLCK, kWhole);
}

StoreFile::Guard StoreFile::lock() {
  if (!lock_file_) return Guard(-1);
  for (int i = 0; i < kLockTries; ++i) {
    if (set_lock(lock_file_.get(), F_WRLCK, kWhole)) return Guard(lock_file_.get());
    if (errno != EAGAIN && errno != EACCES) break;
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  spdlog::warn("{}.lock is held by another instance for too long; going on without it", path_);
  return Guard(-1);
}

bool StoreFile::lock_name(std::string_view name) {
  return !lock_file_ || set_lock(lock_file_.get(), F_WRLCK, place_of(name)) ||
         (errno != EAGAIN && errno != EACCES);
}

void StoreFile::unlock_name(std::string_view name) {
  if (lock_file_) set_lock(lock_file_.get(), F_UNLCK, place_of(name));
}

bool StoreFile::is_shared() const {
  if (!lock_file_) return false;
  struct flock lock{};
  lock.l_type = F_WRLCK;
  lock.l_whence = SEEK_SET;
  lock.l_start = kPresence;
  lock.l_len = 1;
  return ::fcntl(lock_file_.get(), F_OFD_GETLK, &lock) == 0 && lock.l_type != F_UNLCK;
}

}  // namespace fairlead::acme
