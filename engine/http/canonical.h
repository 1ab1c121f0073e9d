#pragma once

#include "engine/base/result.h"
#include "engine/http/field_names.h"
#include "engine/http/head.h"

#include <optional>
#include <string>
#include <string_view>

namespace fairlead::http {

// Options of an entry point that shape the canonical form.
struct PathRules {
  bool sanitize_path = true;  // resolve dot segments and duplicate slashes (sanitizePath)
  bool encode_query_semicolons =
      false;  // ';' of the query becomes %3B instead of '&' (encodeQuerySemicolons)
};

// Brings path, query and host of a request into the one form that rules, middlewares and the origin see,
// whatever protocol brought it. Once per request, before routing.
//
// Path: escapes of unreserved bytes decoded (so encoded dots count as dots), the others in upper case, bytes
// that a path may not hold escaped; then cleaned when the rules say so. "*" passes with OPTIONS. Query: ';'
// replaced, bytes ≥ 0x80 and "\"<>" escaped, broken escapes kept. Host: from head.authority, see
// canonical_host(); empty when there is none.
//
// Errors {400, Client}: '#', control bytes or spaces, a broken escape in the path, a path without '/' in
// front, an invalid authority.
Result<> canonicalize(RequestHead& head, const PathRules& rules);

// The path half of it, for a path that a middleware made from a pattern.
Result<> canonicalize_path(std::string& path, bool sanitize);

// The form that Path, PathPrefix and PathRegexp look at: escapes decoded unless they stand for a reserved
// byte or
// '%', so "/a%2Fb" is not "/a/b". A view of `path` when it has no escape, else of `scratch`. `path` is
// canonical.
std::string_view matching_path(std::string_view path, std::string& scratch);

// Whether a path may leave after a rewrite: a slash in front, no '.' or '..' segment, plain or with encoded
// dots, only whole escapes, no byte that a path may not hold. Middlewares that cut or replace answer 400
// otherwise.
bool is_clean_path(std::string_view path);

// Escapes that an entry point or router lets through (encodedCharacters); Traefik's defaults.
struct EncodedCharacters {
  bool allow_slash = true;           // %2F
  bool allow_back_slash = true;      // %5C
  bool allow_null_character = true;  // %00
  bool allow_semicolon = true;       // %3B
  bool allow_percent = true;         // %25
  bool allow_question_mark = true;   // %3F
  bool allow_hash = true;            // %23
};

// The first escape of the canonical `path` that is not allowed, as "%2F"; nothing when all are.
std::optional<std::string_view> denied_escape(std::string_view path, const EncodedCharacters& allowed);

}  // namespace fairlead::http
