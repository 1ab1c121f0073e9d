#include "engine/middleware/add_prefix.h"

#include "engine/middleware/path_rewrite.h"

namespace fairlead::middleware {

Configured<std::shared_ptr<const AddPrefix>> AddPrefix::make(Options options, Making&) {
  if (options.prefix.empty()) return misconfigured("prefix", "must not be empty");
  auto prefix = path_option("prefix", options.prefix);
  if (!prefix) return std::unexpected(prefix.error());
  return std::make_shared<const AddPrefix>(std::move(*prefix));
}

std::optional<exchange::Response> AddPrefix::on_request(exchange::Exchange& x) const {
  // "OPTIONS *" asks about the server, not about a path.
  if (x.request.path != "*") x.request.path.insert(0, prefix_);
  return std::nullopt;
}

}  // namespace fairlead::middleware
