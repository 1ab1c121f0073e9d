#pragma once

#include "engine/model/servers_transport.h"
#include "engine/tls/client_context.h"
#include "engine/tls/files.h"

#include <cstdint>
#include <memory>
#include <string>
#include <unordered_map>

namespace fairlead::runtime {

// TLS toward servers, by options and the contents of their files: connections are kept over compilations, and
// a file that is being written, or was spoilt, leaves in effect what it said before.
class ClientContexts {
 public:
  explicit ClientContexts(tls::Files& files) : files_(files) {}

  struct Found {
    std::shared_ptr<const tls::ClientContext> context;  // null: it cannot be built and never could
    std::uint64_t key = 0;                              // another one when options or files are others
    std::string problem;                                // what is wrong with the files now, or empty
  };
  // `key` stands for the options, and for whatever else keeps connections apart.
  Found find(std::uint64_t key, const model::ServersTransport& options) { return find_of(key, options); }
  Found find(std::uint64_t key, const model::TcpClientTls& options) { return find_of(key, options); }

  // Drops what nobody asked for since the sweep before.
  void sweep();

 private:
  template <class Options>
  Found find_of(std::uint64_t key, const Options& options);

  tls::Files& files_;
  std::unordered_map<std::uint64_t, std::weak_ptr<const tls::ClientContext>> made_;
  // The last that could be built of each set of options.
  struct LastGood {
    bool wanted = true;  // since the last sweep
    std::uint64_t key = 0;
    std::shared_ptr<const tls::ClientContext> context;
  };
  std::unordered_map<std::uint64_t, LastGood> last_good_;
};

}  // namespace fairlead::runtime
