#include "engine/middleware/redirect_scheme.h"

#include "engine/base/strings.h"
#include "engine/middleware/redirect_url.h"

#include <algorithm>

namespace fairlead::middleware {
namespace {

bool is_usual_port(std::string_view scheme, std::string_view port_with_colon) {
  return (scheme == "http" && port_with_colon == ":80") || (scheme == "https" && port_with_colon == ":443");
}

// How the client speaks to whatever stands first: X-Forwarded-Proto, which only trusted peers can set, over
// the connection. A hop that upgraded may say ws or wss.
std::string_view scheme_of(const exchange::Exchange& x) {
  const std::string_view forwarded = x.request.fields.get(http::Name::XForwardedProto);
  if (iequals(forwarded, "http") || iequals(forwarded, "ws")) return "http";
  if (iequals(forwarded, "https") || iequals(forwarded, "wss")) return "https";
  return x.is_tls() ? "https" : "http";
}

}  // namespace

Configured<std::shared_ptr<const RedirectScheme>> RedirectScheme::make(Options options, Making&) {
  if (options.scheme.empty()) return misconfigured("scheme", "must not be empty");
  const bool is_scheme = is_alpha(options.scheme[0]) && std::ranges::all_of(options.scheme, [](char c) {
                           return is_alpha(c) || is_digit(c) || c == '+' || c == '-' || c == '.';
                         });
  if (!is_scheme) return misconfigured("scheme", "must be a scheme such as https");
  if (!std::ranges::all_of(options.port, is_digit)) return misconfigured("port", "must be a number");
  return std::make_shared<const RedirectScheme>(std::move(options));
}

RedirectScheme::RedirectScheme(Options options)
    : scheme_(lower(options.scheme)),
      port_(options.port.empty() || is_usual_port(scheme_, ":" + options.port) ? "" : ":" + options.port),
      permanent_(options.permanent),
      keep_method_(options.keep_method) {}

std::optional<exchange::Response> RedirectScheme::on_request(exchange::Exchange& x) const {
  const std::string_view now = scheme_of(x);
  auto [host, port] = split_authority(x.request.authority);
  // HTTP/1.0 needs no Host; without one there is nowhere to send the client.
  if (host.empty()) return exchange::failure(x, Error{400, Fault::Client, false, "no host to redirect to"});
  if (is_usual_port(now, port)) port = {};
  if (now == scheme_ && port == port_) return std::nullopt;
  std::string url = scheme_ + "://";
  url.append(host).append(port_).append(uri_to_redirect(x));
  return redirect_to(x, url, permanent_, keep_method_);
}

}  // namespace fairlead::middleware
