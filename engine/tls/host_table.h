#pragma once

#include "engine/base/result.h"

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace fairlead::tls {

class ServerContext;

// Which TLS options a name of an entry point has. The one lookup for the server name of a handshake and for
// the Host of a request: where both lead to different options, the request is misdirected (421).
class HostTable {
 public:
  // What an entry of the table says. Without a context, handshakes for the name are refused.
  struct Choice {
    std::shared_ptr<const ServerContext> context;
    std::uint64_t key = 0;  // of the context; 0: none
    std::string refusal;    // why there is no context
  };

  HostTable() = default;
  HostTable(std::vector<std::pair<std::string, Choice>> hosts, Choice otherwise);

  // `host` in lower case without a trailing dot: the name itself, else `*.` and what follows its first label,
  // else the default options.
  const Choice& find(std::string_view host) const;
  // Whether a request for `host` may come over a connection that was set up with these options (null:
  // unknown). Options that changed meanwhile are no obstacle, unless they ask for a client certificate.
  bool admits(std::string_view host, const ServerContext* options) const;
  std::size_t size() const { return hosts_.size(); }

 private:
  struct Hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const { return std::hash<std::string_view>{}(text); }
  };
  std::unordered_map<std::string, Choice, Hash, std::equal_to<>> hosts_;
  Choice otherwise_;
  bool wildcards_ = false;
  bool uniform_ = true;  // every name has the same options: nothing to look up
};

}  // namespace fairlead::tls
