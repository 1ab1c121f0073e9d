#pragma once

#include "engine/base/result.h"
#include "engine/exchange/exchange.h"
#include "engine/exchange/response.h"

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

// What the middlewares that change paths share. Paths are kept with their escapes; every rewrite ends in a
// canonical path without dot segments, or in a 400 (CVE-2026-65600, CVE-2026-48020).
namespace fairlead::middleware {

// A path given as option: a slash in front is added, bytes that a path may not hold are escaped, escapes
// stay. Errors: it has dot segments, broken escapes, or bytes that are no text.
Configured<std::string> path_option(std::string_view name, std::string_view text);

// Spaces and '#' escaped: in an option they can only mean themselves, as no client sent them.
std::string escape_blanks(std::string_view text);

// Takes the place of the request path when it is clean; else the 400 to answer with.
std::optional<exchange::Response> rewrite_path(exchange::Exchange& x, std::string path);

// Adds the path as it is as X-Replaced-Path; what a client calls so goes, in any spelling.
void tell_replaced_path(exchange::Exchange& x);

// Removes the first `escaped_bytes` of the path and puts a slash in front of a rest that has none. `prefix`
// (decoded) is added as X-Forwarded-Prefix. An emptied path stays empty and leaves as "/".
std::optional<exchange::Response> strip_path(exchange::Exchange& x, std::size_t escaped_bytes,
                                             std::string_view prefix);

// Bytes of the escaped `path` that stand for its first `decoded_bytes` decoded ones.
std::size_t escaped_length(std::string_view path, std::size_t decoded_bytes);

}  // namespace fairlead::middleware
