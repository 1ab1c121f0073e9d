#pragma once

#include "engine/schema/option.h"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace fairlead::model {

inline constexpr const char* kKeyTypes = "EC256|EC384|RSA2048|RSA4096|RSA8192";
inline constexpr const char* kDefaultKeyType = "EC256";

struct HttpChallenge {
  std::string entry_point;
  schema::Duration delay{0};

  bool operator==(const HttpChallenge&) const = default;
};

struct TlsChallenge {
  schema::Duration delay{0};

  bool operator==(const TlsChallenge&) const = default;
};

struct Propagation {
  bool disable_checks = false;
  bool disable_ans_checks = false;
  bool require_all_rns = false;
  schema::Duration delay_before_checks{0};

  bool operator==(const Propagation&) const = default;
};

struct DnsChallenge {
  std::string provider;
  std::vector<std::string> resolvers;  // host:port; the system's when empty
  std::optional<Propagation> propagation;
  schema::Duration delay_before_check{0};
  bool disable_propagation_check = false;

  bool operator==(const DnsChallenge&) const = default;
};

// External account binding (RFC 8555 §7.3.4).
struct Eab {
  std::string kid;
  std::string hmac_encoded;  // base64url

  bool operator==(const Eab&) const = default;
};

struct Acme {
  std::string email;
  std::string ca_server = "https://acme-v02.api.letsencrypt.org/directory";
  std::string preferred_chain;
  std::string profile;
  std::vector<std::string> email_addresses;
  bool disable_common_name = false;
  std::string storage = "acme.json";
  std::string key_type = kDefaultKeyType;  // of kKeyTypes; any other means the default
  std::optional<Eab> eab;
  std::int64_t certificates_duration = 2160;  // hours
  schema::Duration client_timeout = std::chrono::minutes(2);
  schema::Duration client_response_header_timeout = std::chrono::seconds(30);
  schema::Duration certificate_timeout = std::chrono::seconds(30);
  std::vector<std::string> ca_certificates;
  bool ca_system_cert_pool = false;
  std::string ca_server_name;
  std::optional<DnsChallenge> dns_challenge;
  std::optional<HttpChallenge> http_challenge;
  std::optional<TlsChallenge> tls_challenge;

  bool operator==(const Acme&) const = default;
};

struct CertificateResolver {
  std::optional<Acme> acme;
  schema::Node tailscale;

  bool operator==(const CertificateResolver&) const = default;
};

}  // namespace fairlead::model

template <>
inline constexpr auto fairlead::schema::options<fairlead::model::HttpChallenge> = table(
    option<&model::HttpChallenge::entry_point>("entryPoint",
                                               "Entry point that answers HTTP-01; reachable on port 80."),
    option<&model::HttpChallenge::delay>("delay", "Wait before the authority is told.", {.tier = Tier::T3}));
static_assert(fairlead::schema::complete<fairlead::model::HttpChallenge>());

template <>
inline constexpr auto fairlead::schema::options<fairlead::model::TlsChallenge> = table(
    option<&model::TlsChallenge::delay>("delay", "Wait before the authority is told.", {.tier = Tier::T3}));
static_assert(fairlead::schema::complete<fairlead::model::TlsChallenge>());

template <>
inline constexpr auto fairlead::schema::options<fairlead::model::Propagation> = table(
    option<&model::Propagation::disable_checks>("disableChecks",
                                                "Do not check that the record can be seen; only wait."),
    option<&model::Propagation::disable_ans_checks>(
        "disableANSChecks", "Do not ask the authoritative servers.", {.tier = Tier::T3}),
    option<&model::Propagation::require_all_rns>("requireAllRNS", "Ask all recursive servers too.",
                                                 {.tier = Tier::T3}),
    option<&model::Propagation::delay_before_checks>("delayBeforeChecks", "Wait before the first check."));
static_assert(fairlead::schema::complete<fairlead::model::Propagation>());

template <>
inline constexpr auto fairlead::schema::options<fairlead::model::DnsChallenge> = table(
    option<&model::DnsChallenge::provider>(
        "provider",
        "DNS provider by its code, e.g. cloudflare, exec, httpreq; credentials come from the environment."),
    option<&model::DnsChallenge::resolvers>(
        "resolvers", "Recursive servers as host:port; the system's when unset.", {.tier = Tier::T2}),
    option<&model::DnsChallenge::propagation>("propagation", "How the record is waited for.",
                                              {.allow_empty = true, .tier = Tier::T2}),
    option<&model::DnsChallenge::delay_before_check>(
        "delayBeforeCheck", "Wait before the first check.",
        {.deprecated = true, .replaced_by = "propagation.delayBeforeChecks"}),
    option<&model::DnsChallenge::disable_propagation_check>(
        "disablePropagationCheck", "Do not check that the record can be seen.",
        {.deprecated = true, .replaced_by = "propagation.disableChecks"}));
static_assert(fairlead::schema::complete<fairlead::model::DnsChallenge>());

template <>
inline constexpr auto fairlead::schema::options<fairlead::model::Eab> = table(
    option<&model::Eab::kid>("kid", "Key identifier from the authority.", {.secret = true}),
    option<&model::Eab::hmac_encoded>("hmacEncoded", "Key from the authority, base64url.", {.secret = true}));
static_assert(fairlead::schema::complete<fairlead::model::Eab>());

template <>
inline constexpr auto fairlead::schema::options<fairlead::model::Acme> = table(
    option<&model::Acme::email>("email", "Contact of the account."),
    option<&model::Acme::ca_server>("caServer", "Directory URL of the authority."),
    option<&model::Acme::preferred_chain>("preferredChain", "Issuer of the chain wanted, by common name.",
                                          {.tier = Tier::T3}),
    option<&model::Acme::profile>("profile", "Certificate profile, e.g. shortlived.", {.tier = Tier::T3}),
    option<&model::Acme::email_addresses>("emailAddresses", "E-mail addresses put into the request.",
                                          {.tier = Tier::T3}),
    option<&model::Acme::disable_common_name>("disableCommonName", "No common name in the request.",
                                              {.tier = Tier::T3}),
    option<&model::Acme::storage>("storage", "File that keeps account and certificates."),
    option<&model::Acme::key_type>("keyType",
                                   "Kind of private keys: EC256, EC384, RSA2048, RSA4096 or RSA8192; any "
                                   "other means EC256.",
                                   {.tier = Tier::T2}),
    option<&model::Acme::eab>("eab", "External account binding.", {.tier = Tier::T2}),
    option<&model::Acme::certificates_duration>(
        "certificatesDuration", "Lifetime asked about, in hours; chooses when to renew.", {.tier = Tier::T2}),
    option<&model::Acme::client_timeout>("clientTimeout", "Longest request to the authority.",
                                         {.tier = Tier::T3}),
    option<&model::Acme::client_response_header_timeout>(
        "clientResponseHeaderTimeout", "Longest wait for the head of its answer.", {.tier = Tier::T3}),
    option<&model::Acme::certificate_timeout>(
        "certificateTimeout", "Longest wait for an order to become final.", {.tier = Tier::T3}),
    option<&model::Acme::ca_certificates>(
        "caCertificates", "Authorities trusted for the ACME server itself: paths.", {.tier = Tier::T2}),
    option<&model::Acme::ca_system_cert_pool>("caSystemCertPool", "Trust the system's authorities as well.",
                                              {.tier = Tier::T3}),
    option<&model::Acme::ca_server_name>("caServerName", "TLS name of the ACME server.", {.tier = Tier::T3}),
    option<&model::Acme::dns_challenge>("dnsChallenge", "Prove names by DNS-01.", {.allow_empty = true}),
    option<&model::Acme::http_challenge>("httpChallenge", "Prove names by HTTP-01.", {.allow_empty = true}),
    option<&model::Acme::tls_challenge>("tlsChallenge", "Prove names by TLS-ALPN-01.",
                                        {.allow_empty = true}));
static_assert(fairlead::schema::complete<fairlead::model::Acme>());

template <>
inline constexpr auto fairlead::schema::options<fairlead::model::CertificateResolver> = table(
    option<&model::CertificateResolver::acme>("acme", "Obtains certificates by ACME.", {.allow_empty = true}),
    option<&model::CertificateResolver::tailscale>("tailscale", "Obtains certificates from Tailscale.",
                                                   {.out_of_scope = true, .tier = Tier::T3}));
static_assert(fairlead::schema::complete<fairlead::model::CertificateResolver>());
