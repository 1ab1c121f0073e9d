#include "engine/middleware/forward_auth_request.h"

#include "engine/base/strings.h"
#include "engine/http/field_names.h"
#include "engine/http/url.h"
#include "engine/middleware/redirect_url.h"

#include <curl/curl.h>

#include <algorithm>
#include <array>
#include <memory>

namespace fairlead::middleware {
namespace {

using exchange::Exchange;
using http::Name;

// Without Proxy-Authorization and Proxy-Authenticate: proxies that authenticate together may relay them
// (RFC 9110 §11.7.2), and the authentication server is asked for just that.
constexpr std::array<std::string_view, 8> kHopByHop = {
    "Connection", "Keep-Alive", "Proxy-Connection",  "Te",
    "Trailer",    "Trailers",   "Transfer-Encoding", "Upgrade"};

// Of the managed headers, those that `only` does not leave out where the request's own are trusted.
constexpr std::array kAlwaysKept = {Name::XForwardedServer, Name::XForwardedTlsClientCert,
                                    Name::XForwardedTlsClientCertInfo};

// Of the message itself rather than of the client.
constexpr std::array kFraming = {Name::Host, Name::ContentLength, Name::Expect};

bool is_nominated(const Exchange& x, std::string_view name) {
  for (const http::Field& line : x.request.fields)
    if (line.known == Name::Connection && http::has_token(line.value, name)) return true;
  return false;
}

bool is_named(const std::vector<std::string>& names, std::string_view name) {
  return std::ranges::any_of(names, [&](const std::string& one) { return iequals(one, name); });
}

std::string port_of(const Exchange& x) {
  const auto authority = http::parse_authority(x.request.authority);
  if (authority && !authority->port.empty()) return std::string(authority->port);
  return x.is_tls() ? "443" : "80";
}

class SentHeaders {
 public:
  explicit SentHeaders(HeaderList& list) : list_(list) {}
  void set(Name name, std::string value) {
    const std::string_view spelled = http::spelling(name);
    std::erase_if(list_, [&](const auto& line) { return http::same_header_folded(line.first, spelled); });
    list_.emplace_back(spelled, std::move(value));
  }

 private:
  HeaderList& list_;
};

}  // namespace

bool is_hop_by_hop(std::string_view name) {
  return std::ranges::any_of(kHopByHop, [&](std::string_view one) { return iequals(one, name); });
}

HeaderList auth_request_headers(const Exchange& x, std::optional<bool> trust,
                                const std::vector<std::string>& only) {
  const bool trusted = trust.value_or(false);
  const bool rebuild_all = trust.has_value() && !*trust;
  HeaderList list;
  for (const http::Field& line : x.request.fields) {
    if (is_hop_by_hop(line.name) || std::ranges::find(kFraming, line.known) != kFraming.end()) continue;
    if (is_nominated(x, line.name) && !http::is_managed(line)) continue;
    if (rebuild_all && http::is_managed(line)) continue;
    const bool kept = trusted && std::ranges::find(kAlwaysKept, line.known) != kAlwaysKept.end();
    if (!only.empty() && !kept && !is_named(only, line.name)) continue;
    list.emplace_back(line.name, line.value);
  }

  const http::Fields& given = x.request.fields;
  const auto value = [&](Name name, std::string own) {
    const std::string_view before = trusted ? given.get(name) : std::string_view{};
    return before.empty() ? std::move(own) : std::string(before);
  };
  SentHeaders headers(list);
  std::string client = x.client.ip.text();
  if (trusted)
    if (const std::string_view prior = given.joined("X-Forwarded-For"); !prior.empty())
      client.insert(0, std::string(prior) + ", ");
  headers.set(Name::XForwardedMethod, value(Name::XForwardedMethod, std::string(x.request.method)));
  headers.set(Name::XForwardedProto, value(Name::XForwardedProto, x.is_tls() ? "https" : "http"));
  headers.set(Name::XForwardedHost, value(Name::XForwardedHost, std::string(x.request.authority)));
  headers.set(Name::XForwardedUri, value(Name::XForwardedUri, request_uri(x)));
  headers.set(Name::XForwardedFor, std::move(client));
  if (trust.has_value()) headers.set(Name::XForwardedPort, value(Name::XForwardedPort, port_of(x)));
  return list;
}

std::string canonical_header_name(std::string_view name) {
  std::string out(name);
  if (!http::is_token(name)) return out;
  bool upper = true;
  for (char& c : out) {
    c = upper ? to_upper(c) : to_lower(c);
    upper = c == '-';
  }
  return out;
}

std::optional<std::string> resolve_url(const std::string& base, const std::string& reference) {
  const std::unique_ptr<CURLU, decltype(&curl_url_cleanup)> url(curl_url(), &curl_url_cleanup);
  if (!url || curl_url_set(url.get(), CURLUPART_URL, base.c_str(), 0) != CURLUE_OK) return std::nullopt;
  // Spaces and bytes beyond ASCII become escapes, as browsers and Go have them.
  constexpr unsigned kLenient = CURLU_NON_SUPPORT_SCHEME | CURLU_ALLOW_SPACE | CURLU_URLENCODE;
  if (curl_url_set(url.get(), CURLUPART_URL, reference.c_str(), kLenient) != CURLUE_OK) return std::nullopt;
  char* text = nullptr;
  if (curl_url_get(url.get(), CURLUPART_URL, &text, 0) != CURLUE_OK) return std::nullopt;
  std::string out(text);
  curl_free(text);
  return out;
}

}  // namespace fairlead::middleware
