#pragma once

#include "engine/base/result.h"
#include "engine/codec/h1/field_lines.h"
#include "engine/codec/h1/head_bytes.h"
#include "engine/http/head.h"

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace fairlead::codec::h2 {

// Puts the field lines of a request, as HPACK gives them one by one, into a RequestHead (RFC 9113 §8.2,
// §8.3). What a server behind us could read differently in HTTP/1 is refused here, before anything is sent
// on.
//
// Errors are of Fault::Client. Status 400 is a malformed request: the stream is reset with PROTOCOL_ERROR.
// Any other status is an answer that the client can be given.
class RequestFields {
 public:
  RequestFields(http::RequestHead& head, const h1::Limits& limits) : head_(head), limits_(limits) {}

  // Once it has failed it is not called again.
  Result<> add(std::string_view name, std::string_view value);
  // The section is complete; `ends`: no body follows.
  Result<> finish(bool ends);

  // Of the section as SETTINGS_MAX_HEADER_LIST_SIZE counts it: 32 bytes more for every line.
  std::size_t bytes() const { return bytes_; }

 private:
  Result<> pseudo(std::string_view name, std::string_view value);
  Result<> line(std::string_view name, std::string_view value);
  Result<> settle_target();
  Result<> settle_host();
  Result<> settle_body(bool ends);
  Result<> settle_expectation(bool ends);
  Result<> settle_connect(bool ends);
  void join_cookies();

  enum : std::uint8_t { kMethod = 1, kScheme = 2, kAuthority = 4, kPath = 8, kProtocol = 16 };

  http::RequestHead& head_;
  const h1::Limits& limits_;
  std::string_view scheme_;
  std::string_view protocol_;
  std::size_t bytes_ = 0;
  std::size_t lines_ = 0;
  h1::SeenNames seen_;
  std::uint8_t pseudo_ = 0;  // which of them came
};

// A trailer section: what must not stand in one is dropped, what no section may hold is refused with 400.
class TrailerFields {
 public:
  explicit TrailerFields(http::Fields& fields) : fields_(fields) {}
  Result<> add(std::string_view name, std::string_view value);

 private:
  http::Fields& fields_;
  std::size_t bytes_ = 0;
  std::size_t lines_ = 0;
};

}  // namespace fairlead::codec::h2
