#include "engine/http/field_names.h"

#include <algorithm>
#include <array>

namespace fairlead::http {
namespace {

constexpr std::array<std::string_view, 11> kManaged = {
    "X-Forwarded-For",
    "X-Forwarded-Host",
    "X-Forwarded-Method",
    "X-Forwarded-Port",
    "X-Forwarded-Prefix",
    "X-Forwarded-Proto",
    "X-Forwarded-Server",
    "X-Forwarded-Tls-Client-Cert",
    "X-Forwarded-Uri",
    "X-Real-Ip",
    "X-Forwarded-Tls-Client-Cert-Info",
};

constexpr std::array<std::string_view, 3> kFraming = {"Content-Length", "Host", "Transfer-Encoding"};

// In lower case and sorted, for a binary search.
constexpr std::array<std::string_view, 44> kForbiddenTrailers = {
    "age",
    "authentication-info",
    "authorization",
    "cache-control",
    "connection",
    "content-encoding",
    "content-length",
    "content-range",
    "content-type",
    "cookie",
    "cookie2",
    "date",
    "expect",
    "expires",
    "forwarded",
    "host",
    "http2-settings",
    "if-match",
    "if-modified-since",
    "if-none-match",
    "if-range",
    "if-unmodified-since",
    "keep-alive",
    "location",
    "max-forwards",
    "pragma",
    "proxy-authenticate",
    "proxy-authorization",
    "proxy-connection",
    "range",
    "retry-after",
    "set-cookie",
    "set-cookie2",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "vary",
    "via",
    "warning",
    "www-authenticate",
    "x-http-method",
    "x-http-method-override",
    "x-real-ip",
};
static_assert(std::ranges::is_sorted(kForbiddenTrailers));

constexpr std::array<std::string_view, 5> kForbiddenPrefixes = {"x-forwarded-", "x-auth-", "remote-",
                                                                "x-remote-", "proxy-"};

bool is_one_of(std::string_view name, const auto& names) {
  return std::ranges::any_of(names, [name](std::string_view one) { return same_header_folded(one, name); });
}

}  // namespace

bool is_managed(std::string_view name) {
  if (name.size() < 9 || to_lower(name.front()) != 'x') return false;
  return is_one_of(name, kManaged);
}

bool is_managed(const Field& line) {
  // What is known under its own spelling needs no comparison; all managed names are known.
  if (line.known != Name::Other) return line.known >= Name::XForwardedFor && line.known <= Name::XRealIp;
  return is_managed(line.name);
}

bool is_disguised_framing(std::string_view name) {
  return known_name(name) == Name::Other && is_one_of(name, kFraming);
}

bool is_forbidden_trailer(std::string_view name) {
  std::array<char, 32> folded;
  const std::string_view head = name.substr(0, folded.size());
  std::ranges::transform(head, folded.begin(), fold_name_byte);
  const std::string_view text(folded.data(), head.size());
  if (std::ranges::any_of(kForbiddenPrefixes,
                          [text](std::string_view prefix) { return text.starts_with(prefix); }))
    return true;
  return name.size() == head.size() && std::ranges::binary_search(kForbiddenTrailers, text);
}

}  // namespace fairlead::http
