#include "engine/middleware/strip_prefix_regex.h"

#include "engine/base/strings.h"
#include "engine/http/url.h"
#include "engine/middleware/go_expand.h"
#include "engine/middleware/path_rewrite.h"
#include "engine/middleware/slips.h"
#include "engine/routing/regex.h"

namespace fairlead::middleware {

Configured<std::shared_ptr<const StripPrefixRegex>> StripPrefixRegex::make(Options options, Making& making) {
  if (options.regex.empty()) return misconfigured("regex", "must not be empty");
  Patterns patterns;
  for (const std::string& pattern : options.regex) {
    auto compiled = compile_pattern("regex", trim(pattern));
    if (!compiled) return std::unexpected(compiled.error());
    patterns.push_back(std::move(*compiled));
  }
  tell_cut_patterns("regex", options.regex, making.notices);
  return std::make_shared<const StripPrefixRegex>(std::move(patterns));
}

std::optional<exchange::Response> StripPrefixRegex::on_request(exchange::Exchange& x) const {
  const std::optional<std::string> decoded = http::percent_decode(x.request.path);
  if (!decoded) return std::nullopt;
  for (const auto& pattern : patterns_) {
    // The leftmost match counts; one that stands elsewhere is none, even if another would stand in front.
    const std::size_t size = pattern->leading_match(*decoded);
    if (size == 0) continue;
    return strip_path(x, escaped_length(x.request.path, size), std::string_view(*decoded).substr(0, size));
  }
  return std::nullopt;
}

}  // namespace fairlead::middleware
