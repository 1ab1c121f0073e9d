#pragma once

#include "engine/http/head.h"

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace fairlead::codec::h1 {

enum class BodyFraming : std::uint8_t {
  None,        // neither Content-Length nor Transfer-Encoding
  Length,      // Content-Length
  Chunked,     // Transfer-Encoding: chunked
  UntilClose,  // to an HTTP/1.0 client: the end of the connection is the end of the body
};

// What a head says about its message and its connection. The fields of the head never do: they belong to the
// other hop.
struct Framing {
  BodyFraming body = BodyFraming::None;
  std::uint64_t length = 0;    // with BodyFraming::Length
  bool close = false;          // Connection: close
  bool keep_alive = false;     // Connection: keep-alive, which an HTTP/1.0 client waits for
  bool http10 = false;         // the status line says HTTP/1.0, for a client that speaks it
  std::string_view upgrade{};  // Connection: Upgrade, and this protocol; empty: none
  std::string_view date{};     // Date of a response whose head has none; empty: none
};

// Room that the head needs, at most: what the functions below write never exceeds it.
std::size_t request_head_size(const http::RequestHead& head, std::string_view host_value,
                              const Framing& framing);
std::size_t response_head_size(const http::ResponseHead& head, const Framing& framing);

// Writes the request line (origin-form, HTTP/1.1), Host, the fields in order, the framing and the empty line;
// returns the end of it. Host, Connection, Keep-Alive, Proxy-Connection, Transfer-Encoding, Upgrade and
// Content-Length of head.fields are not written: `host_value` and `framing` speak for them. An empty
// `host_value` writes an empty Host.
//
// Returns nullptr, and what was written is to be thrown away, when a method, path, name or value holds a byte
// that could end a line or a word early. Parsers let none through, so it comes from a rewrite: answer 500.
char* write_request_head(char* to, const http::RequestHead& head, std::string_view host_value,
                         const Framing& framing);

// The same for a response: status line with the usual phrase where the head has none.
char* write_response_head(char* to, const http::ResponseHead& head, const Framing& framing);

}  // namespace fairlead::codec::h1
