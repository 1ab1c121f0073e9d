#include "engine/tls/files.h"

#include "engine/base/fd.h"
#include "engine/base/file_stamp.h"
#include "engine/base/strings.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace fairlead::tls {
namespace {

constexpr std::size_t kMaxFile = 4 * 1024 * 1024;
constexpr std::size_t kBucketsPerPoll = 4096;

}  // namespace

bool is_pem(std::string_view path_or_pem) {
  return path_or_pem.find("-----BEGIN ") != std::string_view::npos;
}

std::string in_words(std::string_view path_or_pem) {
  constexpr std::size_t kLongName = 64;  // a key has more bytes, and does not begin as paths do
  if (is_pem(path_or_pem)) return "PEM text";
  const bool begins_as_path = path_or_pem.starts_with('/') || path_or_pem.starts_with('.');
  if (path_or_pem.find('\n') == std::string_view::npos && (begins_as_path || path_or_pem.size() < kLongName))
    return std::string(path_or_pem);
  return "a value that is neither a path nor PEM text";
}

Configured<std::string> Files::read(const std::string& path_or_pem) {
  if (is_pem(path_or_pem)) return path_or_pem;
  const auto failed = [&](std::string_view what) {
    return misconfigured({}, fmt::format("{} {}: {}", what, in_words(path_or_pem), std::strerror(errno)));
  };
  const Fd file(::open(path_or_pem.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (const auto watched = files_.find(path_or_pem); watched != files_.end()) watched->second.unread = !file;
  if (!file) return failed("open");
  std::string contents;
  for (;;) {
    const std::size_t before = contents.size();
    if (before > kMaxFile) return misconfigured({}, fmt::format("{} is larger than 4 MiB", path_or_pem));
    contents.resize(before + 16 * 1024);
    const ssize_t got = ::read(file.get(), contents.data() + before, contents.size() - before);
    if (got < 0) return failed("read");
    contents.resize(before + static_cast<std::size_t>(got));
    if (got == 0) return contents;
  }
}

std::uint64_t Files::signature_of(const std::string& path) {
  const FileStamp now(path);
  return now.exists() ? fnv1a({reinterpret_cast<const char*>(&now), sizeof now}) | 1 : 0;
}

std::uint64_t Files::version(const std::string& path_or_pem) {
  if (is_pem(path_or_pem)) return 0;
  const auto [at, added] = files_.try_emplace(path_or_pem);
  State& state = at->second;
  state.used = true;
  if (added) {
    state.signature = signature_of(path_or_pem);
    state.version = ++last_version_;
  }
  return state.version;
}

bool Files::poll() {
  bool changed = false;
  const std::size_t buckets = files_.bucket_count();
  for (std::size_t done = 0; done < std::min(buckets, kBucketsPerPoll); ++done) {
    if (next_bucket_ >= buckets) next_bucket_ = 0;
    for (auto at = files_.begin(next_bucket_); at != files_.end(next_bucket_); ++at) {
      const std::uint64_t now = signature_of(at->first);
      const bool readable = at->second.unread && can_be_opened(at->first);
      if (now == at->second.signature && !readable) continue;
      if (readable) at->second.unread = false;
      at->second.signature = now;
      at->second.version = ++last_version_;
      changed = true;
    }
    ++next_bucket_;
  }
  return changed;
}

void Files::sweep() {
  std::erase_if(files_, [](const auto& entry) { return !entry.second.used; });
  for (auto& [path, state] : files_) state.used = false;
}

}  // namespace fairlead::tls
