#pragma once

#include "engine/middleware/registry.h"
#include "engine/middleware/watched_file.h"
#include "engine/model/client_tls.h"
#include "engine/upstream/fetch.h"

#include <atomic>
#include <memory>
#include <vector>

namespace fairlead::middleware {

// How a middleware speaks TLS to the server it asks: made anew when one of the files changes that the options
// name. Files that cannot be used then are named in the log, and the last good ones stay. Connections that
// are open keep what they began with.
class WatchedTls {
 public:
  // Equal options of one middleware share it, also across configurations. Errors: {"tls.ca", "open …"}, or
  // {"tls", …} where the files do not fit.
  static Configured<std::shared_ptr<const WatchedTls>> make(const model::ClientTls& options, Making& making);

  // Any thread.
  std::shared_ptr<const upstream::FetchTls> now() const { return now_.load(std::memory_order_acquire); }

 private:
  void read_again(const model::ClientTls& options, const std::string& name);

  std::atomic<std::shared_ptr<const upstream::FetchTls>> now_;
  std::vector<std::unique_ptr<WatchedFile>> files_;  // last: they call back until they are gone
};

}  // namespace fairlead::middleware
