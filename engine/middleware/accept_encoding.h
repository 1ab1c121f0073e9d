#pragma once

#include "engine/http/fields.h"

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

namespace fairlead::middleware {

enum class Coding : std::uint8_t { Gzip, Brotli, Zstd };

std::string_view text(Coding coding);  // "gzip", "br", "zstd"
std::optional<Coding> coding_of(std::string_view name);

// What the client's Accept-Encoding (RFC 9110 §12.5.3) leaves to `offered`, which is in order of preference:
// the highest q, at equal q the first offered. `*` is the q of all that have none of their own; where it is
// the highest, `fallback` comes before the others. Nothing when no coding is wanted, when `identity` has a
// higher q, or when the field is empty. An absent field asks for `fallback`, if any.
std::optional<Coding> choose_coding(const http::Fields& fields, std::span<const Coding> offered,
                                    std::optional<Coding> fallback);

}  // namespace fairlead::middleware
