#include "engine/middleware/cors.h"

#include "engine/base/strings.h"
#include "engine/http/fields.h"
#include "engine/middleware/go_expand.h"
#include "engine/routing/regex.h"

#include <algorithm>

namespace fairlead::middleware {
namespace {

// A scheme, a name of at most 253 bytes and a port. What is longer matches no pattern: a client that fills
// its head could have hundreds of them run over a megabyte.
constexpr std::size_t kMaxOriginBytes = 512;

bool has_star(const std::vector<std::string>& list) { return std::ranges::find(list, "*") != list.end(); }

// Values live in the snapshot or in the exchange: no copy.
void set(http::Fields& fields, std::string_view name, std::string_view value) {
  fields.remove(name);
  fields.append(name, value, http::known_name(name));
}

void add_origin_to_vary(http::Fields& fields) {
  const std::string_view vary = fields.joined("Vary");
  if (http::has_token(vary, "Origin")) return;
  set(fields, "Vary", vary.empty() ? "Origin" : fields.arena().join(vary, std::string_view(",Origin")));
}

}  // namespace

bool Cors::is_wanted(const HeadersOptions& options) {
  return options.access_control_allow_credentials || !options.access_control_allow_headers.empty() ||
         !options.access_control_allow_methods.empty() || !options.access_control_allow_origin_list.empty() ||
         !options.access_control_allow_origin_list_regex.empty() ||
         !options.access_control_expose_headers.empty() || options.access_control_max_age ||
         options.add_vary_header;
}

Configured<Cors> Cors::make(const HeadersOptions& options) {
  Cors cors;
  cors.credentials_ = options.access_control_allow_credentials;
  cors.any_method_ = cors.credentials_ && has_star(options.access_control_allow_methods);
  cors.any_header_ = cors.credentials_ && has_star(options.access_control_allow_headers);
  cors.add_vary_ = options.add_vary_header;
  cors.methods_ = join(options.access_control_allow_methods, ",");
  cors.headers_ = join(options.access_control_allow_headers, ",");
  if (!(cors.credentials_ && has_star(options.access_control_expose_headers)))
    cors.exposed_ = join(options.access_control_expose_headers, ",");
  if (options.access_control_max_age) cors.max_age_ = std::to_string(*options.access_control_max_age);
  cors.origins_ = options.access_control_allow_origin_list;

  const std::pair<std::string_view, std::string_view> values[] = {
      {"accessControlAllowMethods", cors.methods_},
      {"accessControlAllowHeaders", cors.headers_},
      {"accessControlExposeHeaders", cors.exposed_}};
  for (const auto& [name, value] : values)
    if (!http::is_field_value(value))
      return misconfigured(std::string(name), "has bytes that a header cannot carry");

  for (const std::string& pattern : options.access_control_allow_origin_list_regex) {
    auto regex = compile_pattern("accessControlAllowOriginListRegex", pattern);
    if (!regex) return std::unexpected(regex.error());
    cors.origin_patterns_.push_back(std::move(*regex));
  }
  return cors;
}

std::string_view Cors::allowed_origin(std::string_view origin) const {
  for (const std::string& allowed : origins_) {
    // Browsers refuse "*" together with credentials.
    if (allowed == "*") return credentials_ ? origin : std::string_view(allowed);
    if (allowed == origin) return origin;
  }
  if (origin.empty() || origin.size() > kMaxOriginBytes) return {};
  for (const auto& pattern : origin_patterns_)
    if (pattern->matches(origin)) return origin;
  return {};
}

std::optional<exchange::Response> Cors::preflight(exchange::Exchange& x) const {
  if (x.request.method != "OPTIONS") return std::nullopt;
  const std::string_view method = x.request.fields.get("Access-Control-Request-Method");
  const std::string_view origin = x.request.fields.get("Origin");
  if (method.empty() || origin.empty()) return std::nullopt;

  exchange::Response response = exchange::plain(x, 200, {}, {});
  http::Fields& fields = response.head.fields;
  if (credentials_) set(fields, "Access-Control-Allow-Credentials", "true");
  const std::string_view headers =
      any_header_ ? x.request.fields.joined("Access-Control-Request-Headers") : headers_;
  if (!headers.empty()) set(fields, "Access-Control-Allow-Headers", headers);
  if (any_method_)
    set(fields, "Access-Control-Allow-Methods", method);
  else if (!methods_.empty())
    set(fields, "Access-Control-Allow-Methods", methods_);
  if (const std::string_view allowed = allowed_origin(origin); !allowed.empty())
    set(fields, "Access-Control-Allow-Origin", allowed);
  if (max_age_) set(fields, "Access-Control-Max-Age", *max_age_);
  if (!exposed_.empty()) set(fields, "Access-Control-Expose-Headers", exposed_);
  return response;
}

void Cors::apply(exchange::Exchange& x, http::Fields& response) const {
  if (const std::string_view allowed = allowed_origin(x.request.fields.get("Origin")); !allowed.empty())
    set(response, "Access-Control-Allow-Origin", allowed);
  if (credentials_) set(response, "Access-Control-Allow-Credentials", "true");
  if (!exposed_.empty()) set(response, "Access-Control-Expose-Headers", exposed_);
  if (add_vary_) add_origin_to_vary(response);
}

}  // namespace fairlead::middleware
