#pragma once

#include "engine/base/clock.h"
#include "engine/http/head.h"

#include <nghttp2/nghttp2.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

namespace fairlead::codec::h2 {

// The head of an answer as the list that nghttp2 encodes (and copies). One per thread, so that an answer
// allocates nothing.
class ResponseBlock {
 public:
  static ResponseBlock& of_thread();

  // `status`: of a tunnel 200, where the head says 101 (RFC 8441 §5). `date`: for heads without one; empty:
  // none is added. What speaks about one connection is left out (RFC 9113 §8.2.2). False when a line holds
  // bytes that it may not hold. Valid as long as `head`, until the next use of this object.
  bool fill(const http::ResponseHead& head, int status, std::optional<std::uint64_t> length,
            std::string_view date);
  bool fill_trailers(const http::Fields& trailers);

  const nghttp2_nv* data() const { return lines_.data(); }
  std::size_t size() const { return lines_.size(); }

 private:
  void add(std::string_view name, std::string_view value);

  std::vector<nghttp2_nv> lines_;
  std::array<char, 3> status_{};
  std::array<char, 20> length_{};
};

}  // namespace fairlead::codec::h2
