#pragma once

#include "engine/http/fields.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace fairlead::http {

enum class Version : std::uint8_t { Http10, Http11, Http2, Http3 };

std::string_view text(Version version);  // "HTTP/1.1", "HTTP/2.0"

// A request as every layer above the codecs sees it, whatever protocol brought it.
//
// The codec fills it as received; exchange/request_rules.h then makes path, query and host canonical once,
// before routing. Views live in the arena of the exchange.
struct RequestHead {
  explicit RequestHead(Arena& arena) : fields(arena) {}

  std::string_view method;     // as received; methods are case-sensitive (RFC 9110 §9.1)
  std::string_view target;     // as received, for the access log: "/a/../b?x=1", "http://h/x", "*"
  std::string_view scheme;     // "http" or "https": how the client reached the entry point
  std::string_view authority;  // Host or :authority as received: "Example.com:8080"
  std::string host;            // canonical: lower case, no port, no brackets, no trailing dot; empty: none
  std::string path;            // with its escapes: "/a%2Fb"; "*" for OPTIONS *
  std::string query;           // without '?'
  bool has_query = false;      // "/a?" has an empty query, "/a" none
  Version version = Version::Http11;
  Fields fields;

  std::optional<std::uint64_t> content_length;  // from Content-Length; nothing when chunked or without body
  bool chunked = false;                         // a body of unknown length follows
  bool expects_continue = false;                // Expect: 100-continue
  std::string_view upgrade;  // the one token of Upgrade, when Connection names it; else empty

  bool has_body() const { return chunked || content_length.value_or(0) > 0; }
  Arena& arena() const { return fields.arena(); }

  // Ready for another request; keeps its capacity.
  void clear();
};

struct ResponseHead {
  explicit ResponseHead(Arena& arena) : fields(arena) {}

  int status = 200;
  std::string_view reason;  // as received; empty: the codec writes the usual phrase
  Version version = Version::Http11;
  Fields fields;

  std::optional<std::uint64_t> content_length;
  bool chunked = false;      // length unknown beforehand
  std::string_view upgrade;  // of a 101: the protocol that both sides speak from now on

  void clear();
};

// "Not Found"; empty for a status without a registered phrase.
std::string_view reason_phrase(int status);

// RFC 9110 §6.4.1: these never carry content, whatever their fields say.
constexpr bool never_has_content(int status) { return status < 200 || status == 204 || status == 304; }

}  // namespace fairlead::http
