#pragma once

#include "engine/exchange/middleware.h"
#include "engine/schema/option.h"

#include <optional>

namespace fairlead::middleware {

struct TlsCertSubjectOptions {
  bool country = false;
  bool province = false;
  bool locality = false;
  bool organization = false;
  bool organizational_unit = false;
  bool common_name = false;
  bool serial_number = false;
  bool domain_component = false;
};

struct TlsCertIssuerOptions {
  bool country = false;
  bool province = false;
  bool locality = false;
  bool organization = false;
  bool common_name = false;
  bool serial_number = false;
  bool domain_component = false;
};

struct TlsCertInfoOptions {
  bool not_after = false;
  bool not_before = false;
  bool sans = false;
  bool serial_number = false;
  std::optional<TlsCertSubjectOptions> subject{};
  std::optional<TlsCertIssuerOptions> issuer{};
};

struct PassTlsClientCertOptions {
  bool pem = false;
  std::optional<TlsCertInfoOptions> info;
};

// Tells the server about the client's certificates: X-Forwarded-Tls-Client-Cert has them in base64,
// X-Forwarded-Tls-Client-Cert-Info chosen parts of them. Without a certificate it does nothing; headers of
// these names from clients that are not trusted were removed by the entry point.
class PassTlsClientCert final : public exchange::HeadMiddleware {
 public:
  using Options = PassTlsClientCertOptions;
  explicit PassTlsClientCert(Options options) : options_(std::move(options)) {}

  std::optional<exchange::Response> on_request(exchange::Exchange& x) const override;

 private:
  const Options options_;
};

}  // namespace fairlead::middleware

template <>
inline constexpr auto fairlead::schema::options<fairlead::middleware::TlsCertSubjectOptions> =
    table(option<&middleware::TlsCertSubjectOptions::country>("country", "Tell the country of the subject.",
                                                              {.tier = Tier::T3}),
          option<&middleware::TlsCertSubjectOptions::province>(
              "province", "Tell the province of the subject.", {.tier = Tier::T3}),
          option<&middleware::TlsCertSubjectOptions::locality>(
              "locality", "Tell the locality of the subject.", {.tier = Tier::T3}),
          option<&middleware::TlsCertSubjectOptions::organization>(
              "organization", "Tell the organization of the subject.", {.tier = Tier::T3}),
          option<&middleware::TlsCertSubjectOptions::organizational_unit>(
              "organizationalUnit", "Tell the organizational unit of the subject.", {.tier = Tier::T3}),
          option<&middleware::TlsCertSubjectOptions::common_name>(
              "commonName", "Tell the common name of the subject.", {.tier = Tier::T3}),
          option<&middleware::TlsCertSubjectOptions::serial_number>(
              "serialNumber", "Tell the serial number of the subject.", {.tier = Tier::T3}),
          option<&middleware::TlsCertSubjectOptions::domain_component>(
              "domainComponent", "Tell the domain components of the subject.", {.tier = Tier::T3}));
static_assert(fairlead::schema::complete<fairlead::middleware::TlsCertSubjectOptions>());

template <>
inline constexpr auto fairlead::schema::options<fairlead::middleware::TlsCertIssuerOptions> =
    table(option<&middleware::TlsCertIssuerOptions::country>("country", "Tell the country of the issuer.",
                                                             {.tier = Tier::T3}),
          option<&middleware::TlsCertIssuerOptions::province>("province", "Tell the province of the issuer.",
                                                              {.tier = Tier::T3}),
          option<&middleware::TlsCertIssuerOptions::locality>("locality", "Tell the locality of the issuer.",
                                                              {.tier = Tier::T3}),
          option<&middleware::TlsCertIssuerOptions::organization>(
              "organization", "Tell the organization of the issuer.", {.tier = Tier::T3}),
          option<&middleware::TlsCertIssuerOptions::common_name>(
              "commonName", "Tell the common name of the issuer.", {.tier = Tier::T3}),
          option<&middleware::TlsCertIssuerOptions::serial_number>(
              "serialNumber", "Tell the serial number of the issuer.", {.tier = Tier::T3}),
          option<&middleware::TlsCertIssuerOptions::domain_component>(
              "domainComponent", "Tell the domain components of the issuer.", {.tier = Tier::T3}));
static_assert(fairlead::schema::complete<fairlead::middleware::TlsCertIssuerOptions>());

template <>
inline constexpr auto fairlead::schema::options<fairlead::middleware::TlsCertInfoOptions> = table(
    option<&middleware::TlsCertInfoOptions::not_after>("notAfter", "Tell when it expires.",
                                                       {.tier = Tier::T3}),
    option<&middleware::TlsCertInfoOptions::not_before>("notBefore", "Tell since when it is valid.",
                                                        {.tier = Tier::T3}),
    option<&middleware::TlsCertInfoOptions::sans>("sans", "Tell its names and addresses.",
                                                  {.tier = Tier::T3}),
    option<&middleware::TlsCertInfoOptions::serial_number>("serialNumber", "Tell its serial number.",
                                                           {.tier = Tier::T3}),
    option<&middleware::TlsCertInfoOptions::subject>("subject", "Parts of its subject.", {.tier = Tier::T3}),
    option<&middleware::TlsCertInfoOptions::issuer>("issuer", "Parts of its issuer.", {.tier = Tier::T3}));
static_assert(fairlead::schema::complete<fairlead::middleware::TlsCertInfoOptions>());

template <>
inline constexpr auto fairlead::schema::options<fairlead::middleware::PassTlsClientCertOptions> =
    table(option<&middleware::PassTlsClientCertOptions::pem>(
              "pem", "Send the certificates in X-Forwarded-Tls-Client-Cert.", {.tier = Tier::T3}),
          option<&middleware::PassTlsClientCertOptions::info>(
              "info", "Parts to send in X-Forwarded-Tls-Client-Cert-Info.", {.tier = Tier::T3}));
static_assert(fairlead::schema::complete<fairlead::middleware::PassTlsClientCertOptions>());
