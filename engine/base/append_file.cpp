#include "engine/base/append_file.h"

#include <fcntl.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <system_error>

namespace fairlead {
namespace {

std::string explain(int error) {
  switch (error) {
    case EISDIR: return "Is a directory (an engine makes one where the file to mount is missing on its host)";
    case ENXIO: return "a pipe or socket that nobody reads";
    default: return std::strerror(error);
  }
}

}  // namespace

std::expected<Fd, std::string> open_for_appending(const std::string& path, mode_t mode) {
  std::error_code ignored;  // the open() below says what is wrong
  const std::filesystem::path directory = std::filesystem::path(path).parent_path();
  if (!directory.empty()) std::filesystem::create_directories(directory, ignored);
  // Without O_NONBLOCK it would wait for the reader of a pipe (fifo(7)), and whoever starts the program with
  // it.
  Fd file(::open(path.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_NONBLOCK | O_CLOEXEC, mode));
  if (!file) return std::unexpected(explain(errno));
  const int flags = ::fcntl(file.get(), F_GETFL);
  if (flags >= 0) (void)::fcntl(file.get(), F_SETFL, flags & ~O_NONBLOCK);
  return file;
}

}  // namespace fairlead
