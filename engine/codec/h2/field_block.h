#pragma once

#include "engine/http/fields.h"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace fairlead::codec::h2 {

// What all field blocks of a stream that nobody has read yet may hold, counted as RFC 9113 §6.5.2 does (32
// bytes per line on top): as much as a head in HTTP/1. More: 502.
inline constexpr std::size_t kMaxFieldBlockBytes = 262144;
inline constexpr std::size_t kMaxFieldLines = 1000;

// The decoded field lines of one HEADERS frame, kept until somebody has an arena for them.
class FieldBlock {
 public:
  int status = 0;  // of a head; 0 in trailers

  void add(std::string_view name, std::string_view value);
  // With names in their usual spelling, "X-Served", as clients of HTTP/1 know them.
  void copy_to(http::Fields& fields) const;
  // Without the names that must not come in trailers.
  void copy_trailers_to(http::Fields& fields) const;
  void clear();
  bool empty() const { return lines_.empty(); }
  std::size_t lines() const { return lines_.size(); }
  // As SETTINGS_MAX_HEADER_LIST_SIZE counts.
  std::size_t bytes() const { return text_.size() + 32 * lines_.size(); }

 private:
  struct Line {
    std::uint32_t name;  // sizes; the bytes stand one after the other in text_
    std::uint32_t value;
  };
  template <class Take>
  void each(const Take& take) const;

  std::string text_;
  std::vector<Line> lines_;
};

}  // namespace fairlead::codec::h2
