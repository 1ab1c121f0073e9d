#pragma once

#include "engine/base/result.h"
#include "engine/codec/h1/head_bytes.h"
#include "engine/http/head.h"

#include <cstdint>
#include <string_view>

namespace fairlead::codec::h1 {

// How the end of a response body is told (RFC 9112 §6.3).
enum class BodyKind : std::uint8_t { None, Length, Chunked, UntilClose };

struct ResponseFacts {
  BodyKind body = BodyKind::None;
  // The connection may carry another request once this response has been read to its end. False as well when
  // the head says something that a body-less response must not say: what follows then is not trusted.
  bool keep_alive = true;
};

// Reads one response head, as strictly as a request head. `bytes` as for parse_request_head. `request_method`
// decides whether a body follows (HEAD). Interim responses are reported like all others; a 101 is only
// reported, with the protocol in head.upgrade: whether it was asked for is the caller's to judge.
//
// head.content_length is what Content-Length says, also where no body follows (HEAD, 304). Equal repeated
// Content-Length values are reduced to one line (RFC 9110 §8.6).
//
// Every error is {502, Fault::Upstream}.
Result<> parse_response_head(std::string_view bytes, const Limits& limits, std::string_view request_method,
                             http::ResponseHead& head, ResponseFacts* facts = nullptr);

}  // namespace fairlead::codec::h1
