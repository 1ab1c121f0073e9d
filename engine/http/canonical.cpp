#include "engine/http/canonical.h"

#include "engine/http/url.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstring>

namespace fairlead::http {
namespace {

enum : std::uint8_t {
  kPlain = 0,
  kSlash = 1,
  kDot = 2,
  kPercent = 4,
  kEscape = 8,      // must be escaped
  kSemicolon = 16,  // of a query
  kBad = 32,        // '#', controls, space, DEL
};

constexpr bool is_bad(int byte) { return byte <= 0x20 || byte == 0x7f || byte == '#'; }

std::array<std::uint8_t, 256> make_table(UrlByte allowed) {
  std::array<std::uint8_t, 256> out{};
  for (int byte = 0; byte < 256; ++byte) {
    auto& classes = out[static_cast<std::size_t>(byte)];
    if (is_bad(byte))
      classes = kBad;
    else if (byte != '%' && (url_byte(static_cast<char>(byte)) & allowed) == 0)
      classes = kEscape;
  }
  out['%'] = kPercent;
  return out;
}

const std::array<std::uint8_t, 256> kPathBytes = [] {
  auto out = make_table(kInPath);
  out['/'] = kSlash;
  out['.'] = kDot;
  return out;
}();

const std::array<std::uint8_t, 256> kQueryBytes = [] {
  auto out = make_table(kInQuery);
  out['%'] = kPlain;  // an origin may read a broken escape of a query as it likes; it changes no route
  out[';'] = kSemicolon;
  return out;
}();

std::unexpected<Error> bad(std::string_view what, std::string_view text) {
  return fail(400, Fault::Client, fmt::format("{}: {}", what, quoted(text)));
}

std::unexpected<Error> bad_byte(std::string_view where, std::string_view text) {
  const auto place = std::ranges::find_if(text, [](char c) { return is_bad(static_cast<unsigned char>(c)); });
  if (place != text.end() && *place == '#') return bad(fmt::format("fragment in the {}", where), text);
  return bad(fmt::format("control byte or space in the {}", where), text);
}

struct PathFindings {
  std::uint8_t classes = 0;   // of all bytes
  bool has_segments = false;  // a slash before a slash or a dot: something to resolve, perhaps
};

PathFindings look_at(std::string_view path) {
  PathFindings out;
  std::uint8_t before = kPlain;
  for (const char c : path) {
    const std::uint8_t now = kPathBytes[static_cast<unsigned char>(c)];
    out.classes |= now;
    out.has_segments |= (before & kSlash) != 0 && (now & (kSlash | kDot)) != 0;
    before = now;
  }
  return out;
}

// Escapes of unreserved bytes decoded, the others in upper case, raw bytes escaped. False: a broken escape.
bool normalize_escapes(std::string& path) {
  std::string out;
  out.reserve(path.size());
  for (std::size_t at = 0; at < path.size(); ++at) {
    const char c = path[at];
    if (c != '%') {
      if (kPathBytes[static_cast<unsigned char>(c)] == kEscape)
        append_escape(out, c);
      else
        out += c;
      continue;
    }
    if (path.size() - at < 3) return false;
    const int high = hex_value(path[at + 1]);
    const int low = hex_value(path[at + 2]);
    if (high < 0 || low < 0) return false;
    const char byte = static_cast<char>(high * 16 + low);
    if ((url_byte(byte) & kUnreserved) != 0)
      out += byte;
    else
      append_escape(out, byte);
    at += 2;
  }
  path.swap(out);
  return true;
}

// RFC 3986 §5.2.4 in the form of Go's path.Join, which Traefik uses: "/a/.." is "/" and "/a/b/.." is "/a"; a
// slash at the end stays only where there was one.
void resolve_segments(std::string& path) {
  const bool ends_in_slash = path.ends_with('/');
  std::size_t out = 0;
  for (std::size_t at = 0; at < path.size();) {
    const std::size_t begin = at + 1;  // path[at] is a slash
    const std::size_t end = std::min(path.find('/', begin), path.size());
    const std::string_view segment = std::string_view(path).substr(begin, end - begin);
    at = end;
    if (segment.empty() || segment == ".") continue;
    if (segment == "..") {
      while (out > 0 && path[--out] != '/') {
      }
      continue;
    }
    path[out++] = '/';
    std::memmove(path.data() + out, path.data() + begin, end - begin);
    out += end - begin;
  }
  if (out == 0 || ends_in_slash) path[out++] = '/';
  path.resize(out);
}

Result<> canonicalize_query(std::string& query, bool encode_semicolons) {
  std::uint8_t classes = 0;
  for (const char c : query) classes |= kQueryBytes[static_cast<unsigned char>(c)];
  if (classes == kPlain) return {};
  if ((classes & kBad) != 0) return bad_byte("query", query);
  if ((classes & kEscape) == 0 && !encode_semicolons) {
    std::ranges::replace(query, ';', '&');
    return {};
  }
  std::string out;
  out.reserve(query.size() + 16);
  for (const char c : query) {
    const std::uint8_t now = kQueryBytes[static_cast<unsigned char>(c)];
    if (now == kEscape || (now == kSemicolon && encode_semicolons))
      append_escape(out, c);
    else
      out += now == kSemicolon ? '&' : c;
  }
  query.swap(out);
  return {};
}

// "." or "..", with any of the dots as %2e.
bool is_dot_segment(std::string_view segment) {
  int dots = 0;
  while (!segment.empty()) {
    if (segment.front() == '.')
      segment.remove_prefix(1);
    else if (segment.size() >= 3 && iequals(segment.substr(0, 3), "%2e"))
      segment.remove_prefix(3);
    else
      return false;
    if (++dots > 2) return false;
  }
  return dots > 0;
}

}  // namespace

Result<> canonicalize_path(std::string& path, bool sanitize) {
  if (!path.starts_with('/')) return bad("path without a slash in front", path);
  PathFindings found = look_at(path);
  if ((found.classes & kBad) != 0) return bad_byte("path", path);
  if ((found.classes & (kPercent | kEscape)) != 0) {
    if (!normalize_escapes(path)) return bad("broken escape in the path", path);
    found = look_at(path);
  }
  if (sanitize && found.has_segments) resolve_segments(path);
  return {};
}

Result<> canonicalize(RequestHead& head, const PathRules& rules) {
  const bool asterisk = head.path == "*" && head.method == "OPTIONS";
  if (!asterisk)
    if (auto done = canonicalize_path(head.path, rules.sanitize_path); !done) return done;
  if (head.has_query)
    if (auto done = canonicalize_query(head.query, rules.encode_query_semicolons); !done) return done;

  head.host.clear();
  if (head.authority.empty()) return {};
  const auto host = parse_authority(head.authority);
  if (!host) return bad("invalid host", head.authority);
  canonical_host(*host, head.host);
  return {};
}

std::string_view matching_path(std::string_view path, std::string& scratch) {
  if (path.find('%') == std::string_view::npos) return path;
  scratch.clear();
  for (std::size_t at = 0; at < path.size(); ++at) {
    const char c = path[at];
    const int high = c == '%' && path.size() - at >= 3 ? hex_value(path[at + 1]) : -1;
    const int low = high >= 0 ? hex_value(path[at + 2]) : -1;
    if (low < 0) {
      scratch += c;
      continue;
    }
    const char byte = static_cast<char>(high * 16 + low);
    if ((url_byte(byte) & kReserved) != 0)
      append_escape(scratch, byte);
    else
      scratch += byte;
    at += 2;
  }
  return scratch;
}

bool is_clean_path(std::string_view path) {
  if (!path.starts_with('/')) return false;
  for (std::size_t at = 0; at < path.size(); ++at) {
    const char c = path[at];
    if (c == '%') {
      if (path.size() - at < 3 || hex_value(path[at + 1]) < 0 || hex_value(path[at + 2]) < 0) return false;
    } else if ((url_byte(c) & kInPath) == 0) {
      return false;
    }
  }
  for (std::string_view rest = path.substr(1);;) {
    const auto slash = rest.find('/');
    if (is_dot_segment(rest.substr(0, slash))) return false;
    if (slash == std::string_view::npos) return true;
    rest.remove_prefix(slash + 1);
  }
}

std::optional<std::string_view> denied_escape(std::string_view path, const EncodedCharacters& allowed) {
  for (auto at = path.find('%'); at != std::string_view::npos; at = path.find('%', at + 1)) {
    const std::string_view escape = path.substr(at, 3);
    if ((escape == "%2F" && !allowed.allow_slash) || (escape == "%5C" && !allowed.allow_back_slash) ||
        (escape == "%00" && !allowed.allow_null_character) || (escape == "%3B" && !allowed.allow_semicolon) ||
        (escape == "%25" && !allowed.allow_percent) || (escape == "%3F" && !allowed.allow_question_mark) ||
        (escape == "%23" && !allowed.allow_hash))
      return escape;
  }
  return std::nullopt;
}

}  // namespace fairlead::http
