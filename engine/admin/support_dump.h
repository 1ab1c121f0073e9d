#pragma once

#include <span>
#include <string>

namespace fairlead::admin {

struct DumpedFile {
  std::string name;  // at most 100 bytes
  std::string text;
};

// The files as a gzipped tar archive (POSIX.1-1988 "ustar"); empty when memory is short.
std::string tar_gz(std::span<const DumpedFile> files, std::int64_t unix_seconds);

}  // namespace fairlead::admin
