#include "engine/middleware/watched_tls.h"

#include "engine/tls/files.h"

#include <spdlog/spdlog.h>

#include <optional>
#include <string>
#include <utility>

namespace fairlead::middleware {

Configured<std::shared_ptr<const WatchedTls>> WatchedTls::make(const model::ClientTls& options,
                                                               Making& making) {
  std::optional<ConfigError> error;
  const auto build = [&]() -> std::shared_ptr<WatchedTls> {
    // Read before they are used: what changes in between is seen as a change.
    std::vector<std::pair<std::string, std::string>> files;
    const std::pair<const char*, const std::string&> named[] = {
        {"tls.ca", options.ca}, {"tls.cert", options.cert}, {"tls.key", options.key}};
    for (const auto& [option, path] : named) {
      if (path.empty() || tls::is_pem(path)) continue;
      auto contents = read_whole_file(path);
      if (!contents) {
        error = {option, contents.error().what};
        return nullptr;
      }
      files.emplace_back(path, std::move(*contents));
    }
    auto first = upstream::make_fetch_tls(options);
    if (!first) {
      error = std::move(first.error());
      return nullptr;
    }
    auto fresh = std::make_shared<WatchedTls>();
    fresh->now_.store(std::move(*first), std::memory_order_release);
    for (auto& [path, contents] : files) {
      const auto changed = [self = fresh.get(), options, name = making.name](const std::string&) {
        self->read_again(options, name);
      };
      fresh->files_.push_back(std::make_unique<WatchedFile>(path, std::move(contents), changed));
    }
    return fresh;
  };
  auto made = making.carry_over.get<WatchedTls>(making.name, making.options_hash, build);
  if (error) return std::unexpected(std::move(*error));
  return made;
}

void WatchedTls::read_again(const model::ClientTls& options, const std::string& name) {
  auto again = upstream::make_fetch_tls(options);
  // A certificate and its key are written one after the other: the second of them makes the pair whole.
  if (!again) return spdlog::warn("{}: {}; the files before stay", name, again.error().what);
  now_.store(std::move(*again), std::memory_order_release);
  spdlog::info("{}: TLS files read again", name);
}

}  // namespace fairlead::middleware
