#pragma once

#include "engine/schema/option.h"

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace fairlead::middleware {

struct HeadersOptions {
  std::map<std::string, std::string> custom_request_headers;
  std::map<std::string, std::string> custom_response_headers;
  bool access_control_allow_credentials = false;
  std::vector<std::string> access_control_allow_headers;
  std::vector<std::string> access_control_allow_methods;
  std::vector<std::string> access_control_allow_origin_list;
  std::vector<std::string> access_control_allow_origin_list_regex;
  std::vector<std::string> access_control_expose_headers;
  std::optional<std::int64_t> access_control_max_age;
  bool add_vary_header = false;
  std::vector<std::string> allowed_hosts;
  std::vector<std::string> hosts_proxy_headers;
  std::map<std::string, std::string> ssl_proxy_headers;
  std::int64_t sts_seconds = 0;
  bool sts_include_subdomains = false;
  bool sts_preload = false;
  bool force_sts_header = false;
  bool frame_deny = false;
  std::string custom_frame_options_value;
  bool content_type_nosniff = false;
  bool browser_xss_filter = false;
  std::string custom_browser_xss_value;
  std::string content_security_policy;
  std::string content_security_policy_report_only;
  std::string public_key;
  std::string referrer_policy;
  std::string permissions_policy;
  bool is_development = false;
  std::optional<std::string> feature_policy;
  std::optional<bool> ssl_redirect;
  std::optional<bool> ssl_temporary_redirect;
  std::optional<std::string> ssl_host;
  std::optional<bool> ssl_force_host;
};

}  // namespace fairlead::middleware

template <>
inline constexpr auto fairlead::schema::options<fairlead::middleware::HeadersOptions> = table(
    option<&middleware::HeadersOptions::custom_request_headers>(
        "customRequestHeaders", "Set on requests; an empty value removes the header."),
    option<&middleware::HeadersOptions::custom_response_headers>(
        "customResponseHeaders", "Set on responses; an empty value removes the header."),
    option<&middleware::HeadersOptions::access_control_allow_credentials>(
        "accessControlAllowCredentials", "CORS: answers may be read with credentials."),
    option<&middleware::HeadersOptions::access_control_allow_headers>(
        "accessControlAllowHeaders", "CORS: request headers allowed, told in preflights."),
    option<&middleware::HeadersOptions::access_control_allow_methods>(
        "accessControlAllowMethods", "CORS: methods allowed, told in preflights."),
    option<&middleware::HeadersOptions::access_control_allow_origin_list>(
        "accessControlAllowOriginList", "CORS: origins allowed; * for all."),
    option<&middleware::HeadersOptions::access_control_allow_origin_list_regex>(
        "accessControlAllowOriginListRegex", "CORS: patterns of origins allowed.", {.tier = Tier::T2}),
    option<&middleware::HeadersOptions::access_control_expose_headers>(
        "accessControlExposeHeaders", "CORS: response headers that scripts may read.", {.tier = Tier::T2}),
    option<&middleware::HeadersOptions::access_control_max_age>(
        "accessControlMaxAge", "CORS: seconds that a preflight may be remembered.", {.tier = Tier::T2}),
    option<&middleware::HeadersOptions::add_vary_header>("addVaryHeader", "CORS: add Origin to Vary."),
    option<&middleware::HeadersOptions::allowed_hosts>("allowedHosts", "Other hosts are answered 500.",
                                                       {.tier = Tier::T2}),
    option<&middleware::HeadersOptions::hosts_proxy_headers>(
        "hostsProxyHeaders", "Headers that may carry the host for allowedHosts.", {.tier = Tier::T3}),
    option<&middleware::HeadersOptions::ssl_proxy_headers>(
        "sslProxyHeaders", "Headers whose value means that the client came by HTTPS.", {.tier = Tier::T2}),
    option<&middleware::HeadersOptions::sts_seconds>("stsSeconds",
                                                     "max-age of Strict-Transport-Security; 0 sends none."),
    option<&middleware::HeadersOptions::sts_include_subdomains>(
        "stsIncludeSubdomains", "Strict-Transport-Security for subdomains too."),
    option<&middleware::HeadersOptions::sts_preload>("stsPreload",
                                                     "Let browsers preload Strict-Transport-Security."),
    option<&middleware::HeadersOptions::force_sts_header>("forceSTSHeader",
                                                          "Strict-Transport-Security on plain HTTP too."),
    option<&middleware::HeadersOptions::frame_deny>("frameDeny", "X-Frame-Options: DENY."),
    option<&middleware::HeadersOptions::custom_frame_options_value>(
        "customFrameOptionsValue", "Value of X-Frame-Options; wins over frameDeny."),
    option<&middleware::HeadersOptions::content_type_nosniff>("contentTypeNosniff",
                                                              "X-Content-Type-Options: nosniff."),
    option<&middleware::HeadersOptions::browser_xss_filter>("browserXssFilter",
                                                            "X-XSS-Protection: 1; mode=block."),
    option<&middleware::HeadersOptions::custom_browser_xss_value>(
        "customBrowserXSSValue", "Value of X-XSS-Protection; wins over browserXssFilter.",
        {.tier = Tier::T2}),
    option<&middleware::HeadersOptions::content_security_policy>(
        "contentSecurityPolicy", "Content-Security-Policy; $NONCE becomes a fresh 'nonce-…'."),
    option<&middleware::HeadersOptions::content_security_policy_report_only>(
        "contentSecurityPolicyReportOnly", "Content-Security-Policy-Report-Only; $NONCE as above.",
        {.tier = Tier::T2}),
    option<&middleware::HeadersOptions::public_key>("publicKey", "Public-Key-Pins, over TLS only.",
                                                    {.tier = Tier::T3}),
    option<&middleware::HeadersOptions::referrer_policy>("referrerPolicy", "Referrer-Policy."),
    option<&middleware::HeadersOptions::permissions_policy>("permissionsPolicy", "Permissions-Policy.",
                                                            {.tier = Tier::T2}),
    option<&middleware::HeadersOptions::is_development>(
        "isDevelopment", "Switch allowedHosts, stsSeconds and publicKey off.", {.tier = Tier::T3}),
    option<&middleware::HeadersOptions::feature_policy>(
        "featurePolicy", "Without effect.",
        {.deprecated = true, .replaced_by = "permissionsPolicy", .tier = Tier::T2}),
    option<&middleware::HeadersOptions::ssl_redirect>(
        "sslRedirect", "Without effect.",
        {.deprecated = true, .replaced_by = "redirectScheme", .tier = Tier::T2}),
    option<&middleware::HeadersOptions::ssl_temporary_redirect>(
        "sslTemporaryRedirect", "Without effect.",
        {.deprecated = true, .replaced_by = "redirectScheme", .tier = Tier::T2}),
    option<&middleware::HeadersOptions::ssl_host>(
        "sslHost", "Without effect.", {.deprecated = true, .replaced_by = "redirectRegex", .tier = Tier::T2}),
    option<&middleware::HeadersOptions::ssl_force_host>(
        "sslForceHost", "Without effect.",
        {.deprecated = true, .replaced_by = "redirectRegex", .tier = Tier::T2}));
static_assert(fairlead::schema::complete<fairlead::middleware::HeadersOptions>());
