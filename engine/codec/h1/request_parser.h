#pragma once

#include "engine/base/result.h"
#include "engine/codec/h1/head_bytes.h"
#include "engine/http/head.h"

#include <string_view>

namespace fairlead::codec::h1 {

// What the connection must know about a request beyond its head.
struct RequestFacts {
  bool keep_alive = true;  // another request may follow this one (RFC 9112 §9.3)
};

// Reads one request head, strictly (RFC 9112, RFC 9110): no line end but CRLF, no folding, no space before a
// colon, no control byte, one way only to tell where the body ends. What two parsers could read differently
// is refused, never repaired.
//
// `bytes` is exactly one head, empty line included, and stays put as long as the arena of `head`: every view
// in `head` points into it. `head` is empty (or clear()ed). Path and query are left as received, except that
// an absolute-form target is taken apart and its authority replaces Host (RFC 9112 §3.2.2).
//
// head.upgrade is set only for an upgrade that may be passed on: HTTP/1.1, named by Connection, one token
// other than h2c, no body. Any other Upgrade is an ordinary field that goes the way of all hop-by-hop fields.
//
// Errors, all Fault::Client: 400; 414 target too long; 417 an Expect other than 100-continue; 431 too many
// bytes or fields; 501 CONNECT, an overlong method, a transfer coding other than chunked; 505 another
// version.
Result<> parse_request_head(std::string_view bytes, const Limits& limits, http::RequestHead& head,
                            RequestFacts* facts = nullptr);

}  // namespace fairlead::codec::h1
