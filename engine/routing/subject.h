#pragma once

#include "engine/http/head.h"
#include "engine/routing/client_address.h"

#include <span>
#include <string>
#include <string_view>

namespace fairlead::routing {

// Room for decoded text, owned by the caller (one per worker) and reused, so that matching allocates nothing
// once it has grown to the usual sizes.
struct Scratch {
  std::string path;
  std::string value;
};

// What rules are asked about: one request, or one connection before any request. Views are only used during
// the call.
struct Subject {
  std::string_view host;  // of the request, or the server name of TLS; lower case, may be empty
  std::string_view path;  // the matching path
  const http::RequestHead* head = nullptr;  // null for a connection
  ClientAddress client;                     // the other end of the connection, never X-Forwarded-For
  std::span<const std::string_view> alpn;   // protocols the client offered
  Scratch* scratch = nullptr;               // not null where head is not
};

// The path as Path, PathPrefix and PathRegexp see it: escapes of reserved characters stay, in upper case, so
// that "/a%2Fb" is not "/a/b"; all others are decoded. A view of `path` when nothing is to be decoded, else
// of `buffer`.
std::string_view matching_path(std::string_view path, std::string& buffer);

// Calls `visit(value)` with each decoded value of `key` until it returns true; whether it did. As in Go's
// url.ParseQuery, parts with a semicolon or a broken escape do not exist.
template <class Visit>
bool any_query_value(std::string_view query, std::string_view key, std::string& buffer, Visit visit);

namespace detail {

// One key=value of a query, still escaped.
struct QueryPart {
  std::string_view key;
  std::string_view value;
};
// Takes the next part off the front; false when none is left.
bool next_query_part(std::string_view& query, QueryPart& part);
// Decodes %XX and +. A view of `text` when nothing is to be decoded, else of `buffer`; false on a broken
// escape.
bool decode_query(std::string_view text, std::string& buffer, std::string_view& out);

}  // namespace detail

template <class Visit>
bool any_query_value(std::string_view query, std::string_view key, std::string& buffer, Visit visit) {
  detail::QueryPart part;
  while (detail::next_query_part(query, part)) {
    std::string_view decoded;
    if (!detail::decode_query(part.key, buffer, decoded) || decoded != key) continue;
    if (detail::decode_query(part.value, buffer, decoded) && visit(decoded)) return true;
  }
  return false;
}

}  // namespace fairlead::routing
