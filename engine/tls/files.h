#pragma once

#include "engine/base/result.h"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>

namespace fairlead::tls {

// Options that name a file hold its path or the PEM text itself.
bool is_pem(std::string_view path_or_pem);
// What to call such a value in a message: the path. Text is not shown, for it may be a key: neither PEM, nor
// one that came without its first line or in another form.
std::string in_words(std::string_view path_or_pem);

// The files that a configuration names, watched by their metadata: contents are read when somebody builds
// something of them, and not kept. Belongs to one thread.
class Files {
 public:
  // The whole of a file (at most 4 MiB), or the text itself.
  Configured<std::string> read(const std::string& path_or_pem);
  // A number that changes when the file does; 0 for text. Watches the file from now on.
  std::uint64_t version(const std::string& path_or_pem);
  // Looks at some of the files (so that 100,000 of them cost little at a time): whether one has changed, or
  // can be opened at last.
  bool poll();
  // Drops what no version() asked for since the sweep before.
  void sweep();

 private:
  struct State {
    std::uint64_t signature = 0;
    std::uint64_t version = 0;
    bool used = true;
    bool unread = false;  // it could not be opened the last time
  };
  static std::uint64_t signature_of(const std::string& path);

  std::unordered_map<std::string, State> files_;
  std::size_t next_bucket_ = 0;
  std::uint64_t last_version_ = 0;
};

}  // namespace fairlead::tls
