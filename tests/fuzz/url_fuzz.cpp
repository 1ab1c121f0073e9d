// Targets, authorities, paths, queries and cookies: canonical forms are stable and clean, encoding and
// decoding undo each other, comparisons without decoding agree with those after it.
#include "engine/http/canonical.h"
#include "engine/http/cookie.h"
#include "engine/http/url.h"

#include <cstdint>
#include <cstdlib>
#include <string>

namespace {

using namespace fairlead;

void demand(bool condition) {
  if (!condition) std::abort();
}

void check_path(std::string_view input) {
  for (const bool sanitize : {true, false}) {
    std::string path(input);
    if (!http::canonicalize_path(path, sanitize)) continue;
    std::string again = path;
    demand(http::canonicalize_path(again, sanitize).has_value() && again == path);
    demand(!sanitize || http::is_clean_path(path));
    std::string scratch;
    demand(http::matching_path(path, scratch).starts_with('/'));
    (void)http::denied_escape(path, {.allow_slash = false});
  }
}

void check_query(std::string_view input) {
  for (const auto& [key, value] : http::QueryParameters(input)) {
    const auto decoded = http::decode_query(value);
    if (decoded) demand(http::query_equals(value, *decoded));
    demand(!http::query_equals(key, std::string(key) + "x"));
  }
  Arena arena;
  http::RequestHead head(arena);
  head.method = "GET";
  head.path = "/";
  head.query = input;
  head.has_query = true;
  if (!http::canonicalize(head, {})) return;
  const std::string once = head.query;
  demand(http::canonicalize(head, {}).has_value() && head.query == once);
}

void check_authority(std::string_view input) {
  const auto parsed = http::parse_authority(input);
  if (!parsed) return;
  std::string host;
  http::canonical_host(*parsed, host);
  demand(!host.empty() && !host.ends_with('.'));
  const std::string written = parsed->is_ipv6 ? "[" + host + "]" : host;
  const auto again = http::parse_authority(written);
  demand(again && again->host == host);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  check_path(input);
  check_query(input);
  check_authority(input);
  demand(http::percent_decode(http::percent_encode(input)) == input);
  if (const auto target = http::split_target(input)) {
    check_path(target->path);
    check_query(target->query);
    check_authority(target->authority);
  }
  for (const auto& [name, value] : http::Cookies(input)) {
    const std::string line = http::format({.name = std::string(name), .value = std::string(value)});
    demand(line.find_first_of("\r\n;") == std::string::npos);
  }
  return 0;
}
