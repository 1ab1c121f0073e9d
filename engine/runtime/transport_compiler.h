#pragma once

#include "engine/base/clock.h"
#include "engine/model/dynamic.h"
#include "engine/model/static.h"
#include "engine/runtime/compile.h"
#include "engine/upstream/server.h"

#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <unordered_set>

namespace fairlead::runtime {

// How long a connection to a server may take: as the options say, else less for containers, whose addresses
// are near or gone.
Duration dial_timeout(const std::optional<schema::Duration>& wanted, bool container);

// Builds the serversTransports of one snapshot, each once.
class TransportCompiler {
 public:
  TransportCompiler(Compiler& compiler, const model::Static& install, model::Dynamic& dynamic)
      : compiler_(compiler), install_(install), dynamic_(dynamic) {}

  // Whether the TLS part is built: for https servers it is, and null with the `problem` comes back when it
  // cannot be; a check of other servers does without, until a redirect leads it to one.
  enum class Secure : unsigned char { No, WherePossible, Yes };
  std::shared_ptr<const upstream::TransportOptions> transport(const std::string& name, bool container,
                                                              Secure secure, std::string& problem);
  // After everything that is used was built: what is wrong with files of the others is told as well.
  void finish();

 private:
  // Builds the TLS part; false with the `problem` when it cannot be built and never could.
  bool secure(const model::ServersTransport& options, upstream::TransportOptions& made, std::string& problem);
  // Once, though containers, other servers and checks have a transport of that name each.
  void warn(const std::string& name, const std::string& what);

  Compiler& compiler_;
  const model::Static& install_;
  model::Dynamic& dynamic_;
  std::unordered_map<std::string, std::shared_ptr<const upstream::TransportOptions>> made_;
  std::unordered_set<std::string> secured_;  // names of those whose TLS part was asked for
};

}  // namespace fairlead::runtime
