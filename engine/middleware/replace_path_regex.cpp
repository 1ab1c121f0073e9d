#include "engine/middleware/replace_path_regex.h"

#include "engine/base/strings.h"
#include "engine/middleware/path_rewrite.h"
#include "engine/middleware/slips.h"

namespace fairlead::middleware {

Configured<std::shared_ptr<const ReplacePathRegex>> ReplacePathRegex::make(Options options, Making& making) {
  if (trim(options.regex).empty()) return misconfigured("regex", "must not be empty");
  auto regex = compile_pattern("regex", trim(options.regex));
  if (!regex) return std::unexpected(regex.error());
  const std::string written = escape_blanks(trim(options.replacement));
  if (written.empty()) {
    warn("replacement", "is empty, so the path stays as it is; stripPrefixRegex takes a part of it away",
         making.notices);
    return std::make_shared<const ReplacePathRegex>(std::nullopt);
  }
  Replacement replacement(std::move(*regex), written);
  tell_lost_groups("replacement", written, replacement, making.notices);
  return std::make_shared<const ReplacePathRegex>(std::move(replacement));
}

std::optional<exchange::Response> ReplacePathRegex::on_request(exchange::Exchange& x) const {
  if (!replacement_ || !replacement_->matches(x.request.path)) return std::nullopt;
  tell_replaced_path(x);
  auto path = replacement_->replace_all(x.request.path);
  if (!path) return exchange::failure(x, Error{400, Fault::Client, false, "rewritten path is too long"});
  return rewrite_path(x, std::move(*path));
}

}  // namespace fairlead::middleware
