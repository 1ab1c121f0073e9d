#pragma once

#include <expected>
#include <map>
#include <set>
#include <string>

namespace fairlead::providers::file {

// What to watch: directories, and of each the names that matter; all of them when none is given.
using Watched = std::map<std::string, std::set<std::string>>;

struct Scan {
  std::map<std::string, std::expected<std::string, std::string>> texts;  // by path
  Watched watched;  // of the files, of symbolic links on the way to them, of what those point to
  // Files that are mounted themselves, as `-v ./dynamic.yml:…` does: the directory they appear in hears
  // nothing of their changes, so they are watched by themselves.
  std::set<std::string> mounted;
  std::set<std::string> replaced;  // of those, the ones whose name leads to another file on the host by now
  std::map<std::string, std::string> unlisted;  // sub-directories whose files cannot be told, and why
  std::string trouble;                          // the file or directory itself cannot be read
  bool again = false;  // something could not be read that may be readable in a moment, without any change
};

// Reads one file.
Scan scan_file(const std::string& path);

// Reads all configuration files of a directory and its sub-directories. Symbolic links are followed, each
// directory once; those of Kubernetes volumes ("..data") are only reached through links.
Scan scan_directory(const std::string& path);

}  // namespace fairlead::providers::file
