#include "engine/middleware/strip_prefix.h"

#include "engine/base/strings.h"
#include "engine/middleware/path_rewrite.h"

namespace fairlead::middleware {
namespace {

// Bytes of the escaped `path` that stand for `prefix`; nothing when it does not begin with it.
std::optional<std::size_t> prefix_length(std::string_view path, std::string_view prefix) {
  std::size_t at = 0;
  for (const char c : prefix) {
    if (at >= path.size()) return std::nullopt;
    char found = path[at];
    std::size_t width = 1;
    if (found == '%' && at + 2 < path.size()) {
      found = static_cast<char>(hex_value(path[at + 1]) << 4 | hex_value(path[at + 2]));
      width = 3;
    }
    if (found != c) return std::nullopt;
    at += width;
  }
  return at;
}

}  // namespace

Configured<std::shared_ptr<const StripPrefix>> StripPrefix::make(Options options, Making&) {
  if (options.prefixes.empty()) return misconfigured("prefixes", "must not be empty");
  std::vector<std::string> prefixes;
  for (const std::string& prefix : options.prefixes) prefixes.emplace_back(trim(prefix));
  return std::make_shared<const StripPrefix>(std::move(prefixes), options.force_slash.value_or(false));
}

std::optional<exchange::Response> StripPrefix::on_request(exchange::Exchange& x) const {
  for (const std::string& prefix : prefixes_) {
    const auto length = prefix_length(x.request.path, prefix);
    if (!length) continue;
    auto refusal = strip_path(x, *length, prefix);
    if (!refusal && force_slash_ && x.request.path.empty()) x.request.path = "/";
    return refusal;
  }
  return std::nullopt;
}

}  // namespace fairlead::middleware
