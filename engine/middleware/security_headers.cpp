#include "engine/middleware/security_headers.h"

#include "engine/base/base64.h"
#include "engine/base/strings.h"
#include "engine/middleware/header_edits.h"

#include <fmt/format.h>
#include <openssl/rand.h>

#include <algorithm>
#include <array>

namespace fairlead::middleware {
namespace {

constexpr std::string_view kNonceMark = "$NONCE";

// 'nonce-…' of 16 random bytes in base64 without padding (CSP 3 §2.3.1).
std::string_view new_nonce(Arena& arena) {
  std::array<unsigned char, 16> random{};
  RAND_bytes(random.data(), random.size());
  const std::string text = base64(random);
  return arena.join(std::string_view("'nonce-"), std::string_view(text).substr(0, text.find('=')),
                    std::string_view("'"));
}

void set(http::Fields& fields, std::string_view name, std::string_view value) {
  fields.remove(name);
  fields.append(name, value, http::known_name(name));
}

}  // namespace

bool SecurityHeaders::is_wanted(const HeadersOptions& o) {
  return !o.allowed_hosts.empty() || !o.hosts_proxy_headers.empty() || o.ssl_redirect.value_or(false) ||
         o.ssl_temporary_redirect.value_or(false) || o.ssl_force_host.value_or(false) ||
         !o.ssl_host.value_or("").empty() || !o.ssl_proxy_headers.empty() || o.sts_seconds != 0 ||
         o.sts_include_subdomains || o.sts_preload || o.force_sts_header || o.frame_deny ||
         !o.custom_frame_options_value.empty() || o.content_type_nosniff || o.browser_xss_filter ||
         !o.custom_browser_xss_value.empty() || !o.content_security_policy.empty() ||
         !o.content_security_policy_report_only.empty() || !o.public_key.empty() ||
         !o.referrer_policy.empty() || !o.feature_policy.value_or("").empty() ||
         !o.permissions_policy.empty() || o.is_development;
}

void SecurityHeaders::add(std::string_view name, std::string_view value) {
  if (value.empty()) return;
  Value& made = always_.emplace_back(name, std::vector<std::string>{});
  const bool has_nonces = name.starts_with("Content-Security-Policy");
  while (true) {
    const std::size_t mark = has_nonces ? value.find(kNonceMark) : value.npos;
    made.parts.emplace_back(value.substr(0, mark));
    if (mark == value.npos) return;
    value.remove_prefix(mark + kNonceMark.size());
  }
}

Configured<SecurityHeaders> SecurityHeaders::make(HeadersOptions o) {
  const std::pair<std::string_view, std::string&> texts[] = {
      {"customFrameOptionsValue", o.custom_frame_options_value},
      {"customBrowserXSSValue", o.custom_browser_xss_value},
      {"contentSecurityPolicy", o.content_security_policy},
      {"contentSecurityPolicyReportOnly", o.content_security_policy_report_only},
      {"publicKey", o.public_key},
      {"referrerPolicy", o.referrer_policy},
      {"permissionsPolicy", o.permissions_policy}};
  for (const auto& [name, text] : texts) {
    text = on_one_line(text);
    if (!http::is_field_value(text))
      return misconfigured(std::string(name), "has bytes that a header cannot carry");
  }

  SecurityHeaders made;
  if (!o.is_development) {
    made.allowed_hosts_ = o.allowed_hosts;
    made.public_key_ = o.public_key;
    if (o.sts_seconds != 0)
      // Spelled as Traefik does; directive names are compared without case (RFC 6797 §6.1).
      made.strict_transport_ =
          fmt::format("max-age={}{}{}", o.sts_seconds, o.sts_include_subdomains ? "; includeSubdomains" : "",
                      o.sts_preload ? "; preload" : "");
  }
  made.host_headers_ = o.hosts_proxy_headers;
  made.tls_marks_ = o.ssl_proxy_headers;
  made.strict_transport_always_ = o.force_sts_header;
  made.add("X-Frame-Options", !o.custom_frame_options_value.empty() ? o.custom_frame_options_value
                              : o.frame_deny                        ? "DENY"
                                                                    : "");
  made.add("X-Content-Type-Options", o.content_type_nosniff ? "nosniff" : "");
  made.add("X-XSS-Protection", !o.custom_browser_xss_value.empty() ? o.custom_browser_xss_value
                               : o.browser_xss_filter              ? "1; mode=block"
                                                                   : "");
  made.add("Content-Security-Policy", o.content_security_policy);
  made.add("Content-Security-Policy-Report-Only", o.content_security_policy_report_only);
  made.add("Referrer-Policy", o.referrer_policy);
  made.add("Permissions-Policy", o.permissions_policy);
  return made;
}

bool SecurityHeaders::host_is_allowed(const exchange::Exchange& x) const {
  if (allowed_hosts_.empty()) return true;
  std::string_view host = x.request.authority;
  for (const std::string& header : host_headers_)
    if (const std::string_view value = x.request.fields.get(header); !value.empty()) {
      host = value;
      break;
    }
  return std::ranges::any_of(allowed_hosts_,
                             [&](const std::string& allowed) { return iequals(allowed, host); });
}

bool SecurityHeaders::came_by_tls(const exchange::Exchange& x) const {
  if (x.is_tls()) return true;
  return std::ranges::any_of(
      tls_marks_, [&](const auto& mark) { return x.request.fields.get(mark.first) == mark.second; });
}

void SecurityHeaders::apply(exchange::Exchange& x, http::Fields& response) const {
  const bool needs_tls = !strict_transport_.empty() || !public_key_.empty();
  const bool tls = needs_tls && came_by_tls(x);
  if (!strict_transport_.empty() && (tls || strict_transport_always_))
    set(response, "Strict-Transport-Security", strict_transport_);
  if (!public_key_.empty() && tls) set(response, "Public-Key-Pins", public_key_);

  std::string_view nonce;
  for (const Value& value : always_) {
    std::string_view text = value.parts.front();
    for (std::size_t i = 1; i < value.parts.size(); ++i) {
      if (nonce.empty()) nonce = new_nonce(x.arena());
      text = x.arena().join(text, nonce, value.parts[i]);
    }
    set(response, value.name, text);
  }
}

}  // namespace fairlead::middleware
