#include "engine/middleware/path_rewrite.h"

#include "engine/base/strings.h"
#include "engine/exchange/trailer_guard.h"
#include "engine/http/canonical.h"
#include "engine/http/field_names.h"

#include <fmt/format.h>

namespace fairlead::middleware {
namespace {

// As the entry point hands paths on: what changed here must not be cleaned into another path by the server.
bool is_normalized(std::string_view path) {
  return http::is_clean_path(path) && path.find("//") == path.npos;
}

}  // namespace

std::string escape_blanks(std::string_view text) {
  std::string escaped;
  for (const char c : text) {
    if (c == ' ')
      escaped += "%20";
    else if (c == '#')
      escaped += "%23";
    else
      escaped += c;
  }
  return escaped;
}

Configured<std::string> path_option(std::string_view name, std::string_view text) {
  std::string escaped = escape_blanks(text);
  if (!escaped.starts_with('/')) escaped.insert(0, 1, '/');
  if (!http::canonicalize_path(escaped, false) || !http::is_clean_path(escaped))
    return misconfigured(std::string(name), fmt::format("{} is no clean path", quoted(text)));
  return escaped;
}

std::optional<exchange::Response> rewrite_path(exchange::Exchange& x, std::string path) {
  if (!http::canonicalize_path(path, false) || !is_normalized(path)) {
    return exchange::failure(
        x, Error{400, Fault::Client, false, fmt::format("rewritten path {} is not clean", quoted(path))});
  }
  x.request.path = std::move(path);
  return std::nullopt;
}

void tell_replaced_path(exchange::Exchange& x) {
  // The name of our own lines is this very text: several such middlewares leave one each.
  static constexpr std::string_view kName = "X-Replaced-Path";
  x.request.fields.remove_if([](const http::Field& line) {
    return line.name.data() != kName.data() && http::same_header_folded(line.name, kName);
  });
  x.request.fields.append(kName, x.arena().copy(x.request.path), http::known_name(kName));
  guard_trailers(x, kName);
}

std::optional<exchange::Response> strip_path(exchange::Exchange& x, std::size_t escaped_bytes,
                                             std::string_view prefix) {
  std::string& path = x.request.path;
  // Decoded bytes may be ones that no field can carry; then what the client wrote has to do.
  const std::string_view told = http::is_field_value(prefix) && trim(prefix) == prefix
                                    ? prefix
                                    : std::string_view(path).substr(0, escaped_bytes);
  x.request.fields.add(http::Name::XForwardedPrefix, told);
  path.erase(0, escaped_bytes);
  if (path.empty()) return std::nullopt;
  if (path[0] != '/') path.insert(0, 1, '/');
  if (is_normalized(path)) return std::nullopt;
  return exchange::failure(
      x, Error{400, Fault::Client, false, fmt::format("stripped path {} is not clean", quoted(path))});
}

std::size_t escaped_length(std::string_view path, std::size_t decoded_bytes) {
  std::size_t at = 0;
  while (decoded_bytes-- > 0 && at < path.size()) at += path[at] == '%' && at + 2 < path.size() ? 3 : 1;
  return at;
}

}  // namespace fairlead::middleware
