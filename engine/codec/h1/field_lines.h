#pragma once

#include "engine/base/result.h"
#include "engine/http/fields.h"

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace fairlead::codec::h1 {

// Which of the known names a section holds, and which of them more than once: http::name_bits.
struct SeenNames {
  std::uint64_t once = 0;
  std::uint64_t again = 0;

  bool has(http::Name name) const { return (once & http::name_bit(name)) != 0; }
  bool repeats(http::Name name) const { return (again & http::name_bit(name)) != 0; }
};

// Reads the field lines of a head or trailer section from `at` to its empty line, which must be the end of
// `bytes` (RFC 9112 §5). Names and values in `fields` are views into `bytes`.
//
// Errors: 400 for Fault::Client, 502 for Fault::Upstream; more than `max_fields` lines 431 or 502.
Result<> parse_field_lines(std::string_view bytes, std::size_t at, std::size_t max_fields, Fault fault,
                           http::Fields& fields, SeenNames& seen);

}  // namespace fairlead::codec::h1
