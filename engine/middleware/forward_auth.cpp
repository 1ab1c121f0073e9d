#include "engine/middleware/forward_auth.h"

#include "engine/base/held_bytes.h"
#include "engine/exchange/spool.h"
#include "engine/exchange/trailer_guard.h"
#include "engine/http/field_names.h"
#include "engine/http/url.h"
#include "engine/http/user_info.h"
#include "engine/middleware/auth_span.h"
#include "engine/middleware/credentials.h"
#include "engine/middleware/forward_auth_request.h"
#include "engine/middleware/go_expand.h"
#include "engine/middleware/redirect_url.h"
#include "engine/routing/regex.h"

#include <fmt/format.h>

#include <algorithm>

namespace fairlead::middleware {
namespace {

using exchange::Exchange;
using exchange::Response;
using exchange::Spool;
using upstream::FetchResponse;

constexpr auto kTimeout = std::chrono::seconds(30);
// Without maxBodySize: the body travels through memory on its way to the other server.
constexpr std::uint64_t kMaxForwardedBody = std::uint64_t{64} << 20;

Task<Result<std::string>> text_of(const Spool& spool) {
  std::string text;
  text.reserve(spool.size());
  const http::BodyPtr copy = spool.body();
  for (bool last = false; !last;) {
    Result<http::Chunk> chunk = co_await copy->read(1 << 20);
    if (!chunk) co_return std::unexpected(std::move(chunk.error()));
    text += chunk->bytes;
    last = chunk->last;
  }
  co_return text;
}

std::string_view header_of(const FetchResponse& answer, std::string_view name) {
  for (const auto& [own, value] : answer.headers)
    if (iequals(own, name)) return value;
  return {};
}

// Of that server's connection only (RFC 9110 §7.6.1).
bool answer_nominates(const FetchResponse& answer, std::string_view name) {
  return std::ranges::any_of(answer.headers, [&](const auto& line) {
    return iequals(line.first, "Connection") && http::has_token(line.second, name);
  });
}

std::string_view cookie_name(std::string_view set_cookie) {
  return trim(set_cookie.substr(0, set_cookie.find('=')));
}

// Anything but "https:…" (RFC 3986 §4.2); it may well carry a whole URL in its query. An empty Location leads
// nowhere.
bool is_relative(std::string_view location) {
  const std::size_t end = location.find_first_of(":/?#");
  return !location.empty() && (end == location.npos || end == 0 || location[end] != ':');
}

// Takes "user:password@" out of a normalized URL, and gives the Authorization that says the same; empty when
// there is none. Nothing when an escape is broken.
std::optional<std::string> take_login(std::string& url) {
  const std::size_t begin = url.find("://") + 3;
  const std::string_view authority =
      std::string_view(url).substr(begin, url.find_first_of("/?#", begin) - begin);
  const std::size_t end = authority.rfind('@');
  if (end == authority.npos) return std::string{};
  const std::string_view login = authority.substr(0, end);
  const std::size_t colon = login.find(':');
  const auto user = http::percent_decode(login.substr(0, colon));
  const auto password =
      http::percent_decode(colon == login.npos ? std::string_view{} : login.substr(colon + 1));
  if (!user || !password) return std::nullopt;
  std::string authorization = basic_authorization({.user = *user, .password = *password});
  url.erase(begin, end + 1);
  return authorization;
}

schema::Problem warning(std::string key, std::string what) {
  schema::Problem problem;
  problem.kind = schema::Problem::Kind::Deprecated;
  problem.severity = schema::Severity::Warning;
  problem.segments = {key};
  problem.path = key;
  problem.key = std::move(key);
  problem.what = std::move(what);
  return problem;
}

}  // namespace

Configured<std::shared_ptr<const ForwardAuth>> ForwardAuth::make(Options options, Making& making) {
  return make(std::move(options), making, &upstream::fetch);
}

Configured<std::shared_ptr<const ForwardAuth>> ForwardAuth::make(Options options, Making& making,
                                                                 Fetch fetch) {
  auto made = std::make_shared<ForwardAuth>();
  if (options.address.empty()) return misconfigured("address", "is missing");
  const auto address = normalized_url(options.address);
  if (!address || (!address->starts_with("http://") && !address->starts_with("https://")))
    return misconfigured("address",
                         "`" + http::url_without_user_info(options.address) + "` is no http or https URL");
  options.address = *address;
  auto login = take_login(options.address);
  if (!login) return misconfigured("address", "has a broken escape in its user name or password");
  made->login_ = std::move(*login);
  if (!options.auth_signin_url.empty() && !normalized_url(options.auth_signin_url))
    return misconfigured("authSigninURL",
                         "`" + http::url_without_user_info(options.auth_signin_url) + "` is no URL");
  if (!options.auth_response_headers_regex.empty()) {
    auto regex = compile_pattern("authResponseHeadersRegex", options.auth_response_headers_regex);
    if (!regex) return std::unexpected(std::move(regex.error()));
    made->regex_ = std::move(*regex);
  }
  for (const auto& [name, list] : {std::pair{"authResponseHeaders", &options.auth_response_headers},
                                   std::pair{"authRequestHeaders", &options.auth_request_headers}})
    for (const std::string& header : *list)
      if (!http::is_token(header)) return misconfigured(name, "`" + header + "` is no header name");
  if (options.max_response_body_size && *options.max_response_body_size < -1)
    return misconfigured("maxResponseBodySize", "must not be negative");
  if (options.tls) {
    const ForwardAuthTls& tls = *options.tls;
    auto own = WatchedTls::make(
        {.ca = tls.ca, .cert = tls.cert, .key = tls.key, .insecure_skip_verify = tls.insecure_skip_verify},
        making);
    if (!own) return std::unexpected(std::move(own.error()));
    made->tls_ = std::move(*own);
  }
  if (!options.trust_forward_header)
    making.notices.push_back(
        warning("trustForwardHeader",
                "should be set: true if another proxy stands in front and is trusted, else false"));
  made->options_ = std::move(options);
  made->fetch_ = fetch;
  return made;
}

Task<Response> ForwardAuth::handle(Exchange& x, exchange::Next next) const {
  upstream::FetchRequest request;
  if (options_.preserve_request_method) request.method = x.request.method;
  request.url = options_.address;
  request.timeout = kTimeout;
  if (tls_) request.tls = tls_->now();
  const std::int64_t most = options_.max_response_body_size.value_or(std::int64_t{1} << 20);
  request.max_body_bytes = most < 0 ? std::uint64_t{1} << 30 : static_cast<std::uint64_t>(most);

  HeldBytes held;  // of the body, while the other server reads it
  if (options_.forward_body && x.body && !x.body->tunnel()) {
    Result<Spool> body = co_await read_body(x);
    if (!body) {
      Error error = std::move(body.error());
      if (error.status == 401) error.detail = fmt::format("forwardAuth: {} (maxBodySize)", error.detail);
      co_return exchange::failure(x, std::move(error));
    }
    held.hold(body->size());
    Result<std::string> text = co_await text_of(*body);
    if (!text) co_return exchange::failure(x, std::move(text.error()));
    request.body = std::move(*text);
  }
  request.headers = auth_request_headers(x, options_.trust_forward_header, options_.auth_request_headers);
  if (!login_.empty() && std::ranges::none_of(request.headers, [](const auto& line) {
        return http::same_header_folded(line.first, "Authorization");
      }))
    request.headers.emplace_back("Authorization", login_);

  observe::OpenSpan span;
  if (x.trace) span = begin_auth_span(x, request);
  Result<FetchResponse> answer = co_await fetch_(x.loop, x.pools, std::move(request));
  held.let_go();
  if (x.trace) end_auth_span(x, span, answer);
  if (!answer) {
    answer.error().status = 500;
    answer.error().retryable = false;
    answer.error().detail.insert(0, "forwardAuth: ");  // or it would read as if the service had failed
    co_return exchange::failure(x, std::move(answer.error()));
  }
  if (answer->body_too_large)
    co_return exchange::failure(
        x, {401, Fault::Upstream, false, "forwardAuth: the answer is too large (maxResponseBodySize)"});
  if (!options_.header_field.empty())
    if (const std::string_view user = header_of(*answer, options_.header_field); !user.empty())
      x.record.user = x.arena().copy(user);
  if (answer->status < 200 || answer->status >= 300) co_return refuse(x, *answer);

  take_over_headers(x, *answer);
  Response response = co_await next(x);
  add_cookies(response, *answer);
  co_return response;
}

// Reads the whole body, and puts a copy in its place.
Task<Result<Spool>> ForwardAuth::read_body(Exchange& x) const {
  exchange::SpoolLimits limits{.too_large_status = 401};
  limits.max_bytes =
      options_.max_body_size < 0 ? kMaxForwardedBody : static_cast<std::uint64_t>(options_.max_body_size);
  Spool spool(x.loop, limits);
  Result<> filled = co_await spool.fill(*x.body);
  if (!filled) co_return std::unexpected(std::move(filled.error()));
  if (MemoryBudget::instance().exhausted())
    co_return fail(503, Fault::Proxy, "the budget of buffered bytes is used up");
  x.body = spool.body();
  spool.frame(x.request);
  co_return spool;
}

Response ForwardAuth::refuse(Exchange& x, const FetchResponse& answer) const {
  // For the logs, where it would look like an answer of the service: a server that fails is no fault of the
  // client's.
  x.record.cause = Error{answer.status, answer.status >= 500 ? Fault::Upstream : Fault::Client, false,
                         fmt::format("forwardAuth: the authentication server answered {}", answer.status)};
  if (answer.status == 401 && !options_.auth_signin_url.empty())
    return exchange::redirect(x, 302, options_.auth_signin_url);
  Response response(x.arena());
  response.head.status = answer.status;
  for (const auto& [name, value] : answer.headers) {
    if (is_hop_by_hop(name) || iequals(name, "Content-Length") || answer_nominates(answer, name)) continue;
    if (iequals(name, "Location") && !options_.preserve_location_header && is_relative(value)) {
      const auto absolute = resolve_url(options_.address, value);
      if (!absolute)
        return exchange::failure(
            x, {500, Fault::Upstream, false, "forwardAuth: unreadable Location: " + quoted(value)});
      response.head.fields.add(name, *absolute);
      continue;
    }
    response.head.fields.add(name, value);
  }
  if (http::never_has_content(answer.status)) return response;
  response.head.content_length = answer.body.size();
  if (!answer.body.empty()) response.body = http::text_body(x.arena().copy(answer.body));
  return response;
}

bool ForwardAuth::matches_regex(std::string_view name) const {
  const std::string canonical = canonical_header_name(name);
  if (regex_->matches(canonical)) return true;
  // As an origin that folds '_' and '.' would read it.
  std::string folded;
  for (const char c : name) folded += http::fold_name_byte(c);
  return regex_->matches(canonical_header_name(folded));
}

bool ForwardAuth::answers_for(std::string_view name) const {
  return std::ranges::any_of(options_.auth_response_headers,
                             [&](const std::string& own) { return http::same_header_folded(name, own); }) ||
         (regex_ && matches_regex(name));
}

void ForwardAuth::take_over_headers(Exchange& x, const FetchResponse& answer) const {
  if (!options_.auth_response_headers.empty() || regex_)
    guard_trailers(x, [this](std::string_view name) { return answers_for(name); });
  http::Fields& fields = x.request.fields;
  for (const std::string& name : options_.auth_response_headers) {
    fields.remove_if([&](const http::Field& line) { return http::same_header_folded(line.name, name); });
    for (const auto& [own, value] : answer.headers)
      if (iequals(own, name)) fields.add(canonical_header_name(name), value);
  }
  if (!regex_) return;
  fields.remove_if([&](const http::Field& line) { return matches_regex(line.name); });
  for (const auto& [name, value] : answer.headers) {
    if (!regex_->matches(canonical_header_name(name))) continue;
    // What frames the answer does not frame the request.
    if (is_hop_by_hop(name) || iequals(name, "Content-Length")) continue;
    fields.add(canonical_header_name(name), value);
  }
}

void ForwardAuth::add_cookies(Response& response, const FetchResponse& answer) const {
  const auto is_listed = [&](std::string_view set_cookie) {
    return std::ranges::find(options_.add_auth_cookies_to_response, cookie_name(set_cookie)) !=
           options_.add_auth_cookies_to_response.end();
  };
  if (options_.add_auth_cookies_to_response.empty() || header_of(answer, "Set-Cookie").empty()) return;
  response.head.fields.remove_if(
      [&](const http::Field& line) { return line.known == http::Name::SetCookie && is_listed(line.value); });
  for (const auto& [name, value] : answer.headers)
    if (iequals(name, "Set-Cookie") && is_listed(value)) response.head.fields.add("Set-Cookie", value);
}

}  // namespace fairlead::middleware
