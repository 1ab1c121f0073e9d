#include "providers/file/scan.h"

#include "engine/schema/file.h"
#include "engine/schema/file_limits.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <sstream>

namespace fairlead::providers::file {
namespace {

namespace fs = std::filesystem;

constexpr int kMaxDepth = 16;
constexpr std::size_t kMaxFiles = 10'000;

// Want of descriptors or memory, or a disk far away: it says nothing about the file, and no event tells its
// end.
bool passes(int error) {
  return error == EMFILE || error == ENFILE || error == ENOMEM || error == EIO || error == ESTALE;
}

std::expected<std::string, std::string> slurp(const std::string& path, bool& again) {
  std::error_code unknown;
  const std::uintmax_t size = fs::file_size(path, unknown);
  if (!unknown && size > schema::kMaxFileBytes) return std::unexpected("the file is larger than 64 MiB");
  std::ifstream in(path, std::ios::binary);
  std::ostringstream out;
  if (!in) {
    again |= passes(errno);
    return std::unexpected(fmt::format("cannot be opened: {}", std::strerror(errno)));
  }
  if (in.peek() != std::ifstream::traits_type::eof()) out << in.rdbuf();
  if (in.bad() || out.fail()) {
    again = true;
    return std::unexpected("cannot be read");
  }
  return std::move(out).str();
}

std::string parent_of(const fs::path& path) {
  const fs::path parent = path.parent_path();
  return parent.empty() ? "." : parent.string();
}

// One name in a directory matters. A directory of which everything matters stays so.
void watch_name(const fs::path& path, Watched& watched) {
  const auto [at, fresh] = watched.try_emplace(parent_of(path));
  if (fresh || !at->second.empty()) at->second.insert(path.filename().string());
}

// Everything whose change can change what `path` leads to: the name itself, each symbolic link among its
// directories, and the same for what it points to ("config.yml" → "..data/config.yml", where "..data" is a
// link too, as in Kubernetes volumes).
void watch_path(fs::path path, Watched& watched) {
  std::error_code failed;
  for (int i = 0; i < kMaxDepth; ++i) {
    watch_name(path, watched);
    for (fs::path up = path.parent_path(); !up.empty() && up != up.parent_path(); up = up.parent_path())
      if (fs::is_symlink(up, failed)) watch_name(up, watched);
    if (!fs::is_symlink(path, failed)) return;
    const fs::path target = fs::read_symlink(path, failed);
    if (failed) return;
    path = target.is_absolute() ? target : path.parent_path() / target;
  }
}

// Kernels before 5.8 do not tell mounts: then every file may be one.
void look_for_mount(const std::string& path, Scan& out) {
  struct statx about{};
  if (::statx(AT_FDCWD, path.c_str(), 0, STATX_NLINK, &about) != 0) return;
  const bool is_told = (about.stx_attributes_mask & STATX_ATTR_MOUNT_ROOT) != 0;
  if (is_told && (about.stx_attributes & STATX_ATTR_MOUNT_ROOT) == 0) return;
  out.mounted.insert(path);
  if (about.stx_nlink == 0) out.replaced.insert(path);
}

void take_file(const std::string& path, Scan& out) {
  out.texts.emplace(path, slurp(path, out.again));
  look_for_mount(path, out);
}

// A directory of which something cannot be told is not to be taken for one without files: what was read
// before stays.
void note_unlisted(const fs::path& directory, int depth, int error, Scan& out) {
  if (error == ENOENT || error == ENOTDIR || error == ELOOP) return;  // gone meanwhile, or a loop of links
  out.again |= passes(error);
  const std::string why = fmt::format("cannot be listed: {}", std::strerror(error));
  if (depth == 0 || passes(error))
    out.trouble = fmt::format("{}: {}", directory.string(), why);
  else
    out.unlisted.emplace(directory.string(), why);
}

void walk(const fs::path& directory, int depth, std::set<std::string>& visited, Scan& out) {
  std::error_code failed;
  const fs::path real = fs::canonical(directory, failed);
  if (failed) return note_unlisted(directory, depth, failed.value(), out);
  if (depth > kMaxDepth || !visited.insert(real.string()).second) return;
  out.watched[directory.string()].clear();
  for (fs::directory_iterator at(directory, failed), end; !failed && at != end; at.increment(failed)) {
    const fs::path& path = at->path();
    if (path.filename().string().starts_with("..")) continue;
    std::error_code unknown;
    const fs::file_status status = fs::status(path, unknown);
    if (status.type() == fs::file_type::none) {
      note_unlisted(directory, depth, unknown.value(), out);  // r without x: names, but nothing behind them
    } else if (fs::is_directory(status)) {
      if (fs::is_symlink(path, unknown)) watch_path(path, out.watched);
      walk(path, depth + 1, visited, out);
    } else if (!fs::is_regular_file(status) && fs::exists(status)) {
      continue;  // sockets, pipes, devices: reading them could block
    } else if (path.extension() == ".json") {
      continue;  // acme.json and its like; Traefik reads no JSON here either
    } else if (schema::is_readable_file(path.string()) && out.texts.size() < kMaxFiles) {
      if (fs::is_symlink(path, unknown)) watch_path(path, out.watched);
      if (fs::exists(status)) take_file(path.string(), out);
    }
  }
  if (failed) note_unlisted(directory, depth, failed.value(), out);
}

std::string missing(const std::string& path, const std::error_code& why) {
  if (!why || why == std::errc::no_such_file_or_directory) return fmt::format("{}: does not exist", path);
  return fmt::format("{}: cannot be reached: {}", path, std::strerror(why.value()));
}

}  // namespace

Scan scan_file(const std::string& path) {
  Scan out;
  watch_path(path, out.watched);
  std::error_code why;
  const fs::file_status status = fs::status(path, why);
  if (!schema::is_readable_file(path))
    out.trouble = fmt::format("{}: the name must end with .yml, .yaml or .toml", path);
  else if (!fs::exists(status))
    out.trouble = missing(path, why);
  else if (!fs::is_regular_file(status))
    out.trouble = fmt::format("{}: is no file", path);
  else
    take_file(path, out);
  return out;
}

Scan scan_directory(const std::string& path) {
  Scan out;
  const fs::path plain = fs::path(path).has_filename() ? fs::path(path) : fs::path(path).parent_path();
  watch_path(plain, out.watched);
  std::error_code why;
  const fs::file_status status = fs::status(plain, why);
  if (!fs::is_directory(status)) {
    out.trouble = fs::exists(status) ? fmt::format("{}: is no directory", path) : missing(path, why);
    return out;
  }
  std::set<std::string> visited;
  walk(plain, 0, visited, out);
  return out;
}

}  // namespace fairlead::providers::file
