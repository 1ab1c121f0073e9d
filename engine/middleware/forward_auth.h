#pragma once

#include "engine/exchange/middleware.h"
#include "engine/exchange/spool.h"
#include "engine/middleware/registry.h"
#include "engine/middleware/watched_tls.h"
#include "engine/model/client_tls.h"
#include "engine/schema/option.h"
#include "engine/upstream/fetch.h"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace fairlead::routing {
class Regex;
}

namespace fairlead::middleware {

struct ForwardAuthTls {
  std::string ca;
  std::string cert;
  std::string key;
  bool insecure_skip_verify = false;
  std::optional<bool> ca_optional;
};

struct ForwardAuthOptions {
  std::string address;
  std::optional<ForwardAuthTls> tls;
  std::optional<bool> trust_forward_header;
  std::vector<std::string> auth_response_headers;
  std::string auth_response_headers_regex;
  std::vector<std::string> auth_request_headers;
  std::vector<std::string> add_auth_cookies_to_response;
  std::string header_field;
  bool forward_body = false;
  std::int64_t max_body_size = -1;
  std::optional<std::int64_t> max_response_body_size;
  bool preserve_location_header = false;
  bool preserve_request_method = false;
  std::string auth_signin_url;
};

// Asks another server whether a request may pass: 2xx lets it pass, any other answer goes to the client as it
// is. Nobody reads the request's body meanwhile, unless forwardBody sends it along.
class ForwardAuth final : public exchange::Middleware {
 public:
  using Options = ForwardAuthOptions;
  // How the other server is asked; upstream::fetch, or a stand-in for it in tests.
  using Fetch = Task<Result<upstream::FetchResponse>> (*)(event::Loop&, upstream::Pools&,
                                                          upstream::FetchRequest);

  static Configured<std::shared_ptr<const ForwardAuth>> make(Options options, Making& making);
  static Configured<std::shared_ptr<const ForwardAuth>> make(Options options, Making& making, Fetch fetch);

  Task<exchange::Response> handle(exchange::Exchange& x, exchange::Next next) const override;

 private:
  Task<Result<exchange::Spool>> read_body(exchange::Exchange& x) const;
  exchange::Response refuse(exchange::Exchange& x, const upstream::FetchResponse& answer) const;
  void take_over_headers(exchange::Exchange& x, const upstream::FetchResponse& answer) const;
  void add_cookies(exchange::Response& response, const upstream::FetchResponse& answer) const;
  bool matches_regex(std::string_view name) const;
  bool answers_for(std::string_view name) const;

  Options options_;
  std::string login_;  // Authorization made of the address; empty: none
  Fetch fetch_ = nullptr;
  std::shared_ptr<const WatchedTls> tls_;        // null: the system's authorities
  std::shared_ptr<const routing::Regex> regex_;  // null: none
};

}  // namespace fairlead::middleware

template <>
inline constexpr auto fairlead::schema::options<fairlead::middleware::ForwardAuthTls> = table(
    option<&middleware::ForwardAuthTls::ca>(
        "ca", "Authority trusted instead of the system's: a path or PEM text.", {.tier = Tier::T2}),
    option<&middleware::ForwardAuthTls::cert>("cert", "Client certificate: a path or PEM text.",
                                              {.tier = Tier::T2}),
    option<&middleware::ForwardAuthTls::key>("key", "Key of the client certificate: a path or PEM text.",
                                             {.secret = true, .tier = Tier::T2}),
    option<&middleware::ForwardAuthTls::insecure_skip_verify>(
        "insecureSkipVerify", "Do not verify the server's certificate.", {.tier = Tier::T2}),
    option<&middleware::ForwardAuthTls::ca_optional>("caOptional", "Has no effect.",
                                                     {.deprecated = true, .tier = Tier::T3}));
static_assert(fairlead::schema::complete<fairlead::middleware::ForwardAuthTls>());

template <>
inline constexpr auto fairlead::schema::options<fairlead::middleware::ForwardAuthOptions> = table(
    option<&middleware::ForwardAuthOptions::address>("address", "URL that is asked.", {.check = not_empty}),
    option<&middleware::ForwardAuthOptions::tls>("tls", "How TLS is spoken to that server.",
                                                 {.tier = Tier::T2}),
    option<&middleware::ForwardAuthOptions::trust_forward_header>(
        "trustForwardHeader",
        "Keep the X-Forwarded-* headers of the request (true) or rebuild them (false)."),
    option<&middleware::ForwardAuthOptions::auth_response_headers>(
        "authResponseHeaders", "Headers of the answer that are set on the request."),
    option<&middleware::ForwardAuthOptions::auth_response_headers_regex>(
        "authResponseHeadersRegex", "The same for all headers whose name matches.", {.tier = Tier::T2}),
    option<&middleware::ForwardAuthOptions::auth_request_headers>(
        "authRequestHeaders", "The only request headers that are sent along; all when empty.",
        {.tier = Tier::T2}),
    option<&middleware::ForwardAuthOptions::add_auth_cookies_to_response>(
        "addAuthCookiesToResponse", "Cookies of the answer that are added to the response.",
        {.tier = Tier::T2}),
    option<&middleware::ForwardAuthOptions::header_field>(
        "headerField", "Header of the answer that names the user, for the access log.", {.tier = Tier::T3}),
    option<&middleware::ForwardAuthOptions::forward_body>("forwardBody", "Send the request's body along.",
                                                          {.tier = Tier::T2}),
    option<&middleware::ForwardAuthOptions::max_body_size>(
        "maxBodySize", "Largest body for forwardBody, in bytes; a larger one is answered 401. -1: 64 MiB.",
        {.tier = Tier::T2}),
    option<&middleware::ForwardAuthOptions::max_response_body_size>(
        "maxResponseBodySize", "Largest answer, in bytes; a larger one is answered 401. 1 MiB by default.",
        {.tier = Tier::T2}),
    option<&middleware::ForwardAuthOptions::preserve_location_header>(
        "preserveLocationHeader", "Pass a relative Location on as it is.", {.tier = Tier::T2}),
    option<&middleware::ForwardAuthOptions::preserve_request_method>(
        "preserveRequestMethod", "Ask with the request's method instead of GET.", {.tier = Tier::T2}),
    option<&middleware::ForwardAuthOptions::auth_signin_url>(
        "authSigninURL", "Redirect here (302) when the answer is 401.", {.tier = Tier::T3}));
static_assert(fairlead::schema::complete<fairlead::middleware::ForwardAuthOptions>());
