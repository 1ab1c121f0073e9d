#include "engine/middleware/redirect_url.h"

#include "engine/base/strings.h"
#include "engine/http/url.h"

#include <fmt/format.h>

#include <algorithm>

namespace fairlead::middleware {
namespace {

// Appends `text` with everything escaped that is not of the class or in `also`; whole escapes stay. False
// when an escape is broken.
bool append_part(std::string& out, std::string_view text, std::uint8_t keep, std::string_view also = {}) {
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (c == '%') {
      if (i + 2 >= text.size() || hex_value(text[i + 1]) < 0 || hex_value(text[i + 2]) < 0) return false;
      out += text.substr(i, 3);
      i += 2;
    } else if ((http::url_byte(c) & keep) || also.find(c) != also.npos) {
      out += c;
    } else {
      http::append_escape(out, c);
    }
  }
  return true;
}

// Go takes escapes in a host only for bytes beyond ASCII, and "%25" for the zone of an IPv6 address.
bool has_ascii_escape(std::string_view host) {
  for (std::size_t at = host.find('%'); at != host.npos; at = host.find('%', at + 1))
    if (at + 1 < host.size() && hex_value(host[at + 1]) < 8 && host.substr(at, 3) != "%25") return true;
  return false;
}

// User, host and port between "//" and the path.
bool append_authority(std::string& out, std::string_view authority) {
  const std::size_t at = authority.rfind('@');
  const std::string_view host_port = at == authority.npos ? authority : authority.substr(at + 1);
  if (at != authority.npos && !append_part(out, authority.substr(0, at + 1), http::kUnreserved, "@:$&+,;="))
    return false;
  if (host_port.empty()) return true;  // "file:///x"
  if (host_port.find_first_of(" <>\"\\^`{|}") != host_port.npos) return false;
  const auto [host, port] = split_authority(host_port);
  if (host.starts_with('[') != host.ends_with(']')) return false;
  if (!std::ranges::all_of(port.substr(port.empty() ? 0 : 1), is_digit)) return false;
  if (!host.starts_with('[') && host.find(':') != host.npos) return false;
  if (has_ascii_escape(host)) return false;
  return append_part(out, host, http::kUnreserved, "!$&'()*+,;=:[]") && (out += port, true);
}

// Length of "scheme:", 0 without one; nothing when there should be one ("1http:", ":x").
std::optional<std::size_t> scheme_length(std::string_view url) {
  for (std::size_t i = 0; i < url.size(); ++i) {
    const char c = url[i];
    if (is_alpha(c)) continue;
    if (is_digit(c) || c == '+' || c == '-' || c == '.') {
      if (i == 0) return 0;
      continue;
    }
    if (c != ':') return 0;
    if (i == 0) return std::nullopt;
    return i + 1;
  }
  return 0;
}

}  // namespace

HostAndPort split_authority(std::string_view authority) {
  const std::size_t bracket = authority.rfind(']');
  const std::size_t colon = authority.rfind(':');
  if (colon == authority.npos || (bracket != authority.npos && colon < bracket)) return {authority, {}};
  return {authority.substr(0, colon), authority.substr(colon)};
}

std::string request_uri(const exchange::Exchange& x) {
  if (x.request.path == "*") return {};  // RFC 9112 §3.3: the target is the host itself
  std::string uri = x.request.path.empty() ? "/" : x.request.path;
  if (x.request.has_query) uri.append(1, '?').append(x.request.query);
  return uri;
}

std::string uri_to_redirect(const exchange::Exchange& x) {
  std::string uri = request_uri(x);
  const std::string& query = x.request.query;
  if (query.find('&') == query.npos || !x.request.target.contains(';')) return uri;
  const std::string_view written = x.request.target.substr(x.request.target.find('?') + 1);
  const bool only_semicolons_differ = std::ranges::equal(
      query, written, [](char now, char before) { return now == before || (now == '&' && before == ';'); });
  if (only_semicolons_differ) std::ranges::copy(written, uri.end() - std::ssize(query));
  return uri;
}

std::optional<std::string> normalized_url(std::string_view url) {
  if (url.empty()) return std::nullopt;
  if (std::ranges::any_of(url, [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; }))
    return std::nullopt;
  const auto scheme = scheme_length(url);
  if (!scheme) return std::nullopt;
  std::string out = lower(url.substr(0, *scheme));
  std::string_view rest = url.substr(*scheme);

  const std::size_t hash = rest.find('#');
  const std::string_view fragment = hash == rest.npos ? std::string_view{} : rest.substr(hash);
  rest = rest.substr(0, hash);
  const std::size_t mark = rest.find('?');
  const std::string_view query = mark == rest.npos ? std::string_view{} : rest.substr(mark);
  rest = rest.substr(0, mark);

  if (rest.starts_with("//")) {
    const std::size_t slash = rest.find('/', 2);
    out += "//";
    if (!append_authority(out, rest.substr(2, slash == rest.npos ? slash : slash - 2))) return std::nullopt;
    rest = slash == rest.npos ? std::string_view{} : rest.substr(slash);
  } else if (*scheme == 0 && rest.substr(0, rest.find('/')).find(':') != rest.npos) {
    return std::nullopt;  // "first path segment in URL cannot contain colon"
  }
  if (!append_part(out, rest, http::kInPath, "[]")) return std::nullopt;
  // Go keeps a query as it is; only what a header or a link could not carry is escaped.
  for (const char c : query) {
    if (c == ' ' || c == '"' || c == '<' || c == '>' || static_cast<unsigned char>(c) >= 0x80)
      http::append_escape(out, c);
    else
      out += c;
  }
  if (!fragment.empty()) {
    out += '#';
    if (!append_part(out, fragment.substr(1), http::kInPath, "?!")) return std::nullopt;
  }
  return out;
}

exchange::Response redirect_to(exchange::Exchange& x, std::string_view url, bool permanent,
                               bool keep_method) {
  const auto location = normalized_url(url);
  if (!location)
    return exchange::failure(
        x, Error{502, Fault::Proxy, false, fmt::format("{} is no URL to redirect to", quoted(url))});
  const bool get = x.request.method == "GET" && !keep_method;
  return exchange::redirect(x, permanent ? (get ? 301 : 308) : (get ? 302 : 307), *location);
}

}  // namespace fairlead::middleware
