#pragma once

#include "engine/base/result.h"
#include "engine/http/head.h"

#include <nghttp2/nghttp2.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace fairlead::codec::h2 {

// A request's head as the list that nghttp2 encodes. Kept per connection, so that a request allocates
// nothing.
class RequestBlock {
 public:
  // `host`: the value of :authority. `length`: of the body, when it is announced. What speaks about one
  // connection is left out (RFC 9113 §8.2.2). {500, Proxy} when a value holds bytes that would not be one
  // value to the server; the views live as long as `head`, `host` and this object.
  Result<> fill(const http::RequestHead& head, std::string_view scheme, std::string_view host,
                std::optional<std::uint64_t> length);
  void add(std::string_view name, std::string_view value);

  const nghttp2_nv* data() const { return lines_.data(); }
  std::size_t size() const { return lines_.size(); }

 private:
  std::vector<nghttp2_nv> lines_;
  std::string path_;
  std::string length_;
};

// Whether a line may travel in HTTP/2 at all, in a head or in trailers (RFC 9113 §8.2.2).
bool travels(const http::Field& line);
// Whether its bytes are one name and one value to everybody.
bool is_fit(const http::Field& line);

}  // namespace fairlead::codec::h2
