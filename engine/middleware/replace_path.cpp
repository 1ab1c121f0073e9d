#include "engine/middleware/replace_path.h"

#include "engine/middleware/path_rewrite.h"

namespace fairlead::middleware {

Configured<std::shared_ptr<const ReplacePath>> ReplacePath::make(Options options, Making&) {
  if (options.path.empty()) return misconfigured("path", "must not be empty");
  auto path = path_option("path", options.path);
  if (!path) return std::unexpected(path.error());
  return std::make_shared<const ReplacePath>(std::move(*path));
}

std::optional<exchange::Response> ReplacePath::on_request(exchange::Exchange& x) const {
  tell_replaced_path(x);
  x.request.path = path_;
  return std::nullopt;
}

}  // namespace fairlead::middleware
