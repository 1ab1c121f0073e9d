#pragma once

#include "engine/model/reason.h"
#include "engine/model/router_tls.h"
#include "engine/model/servers_transport.h"
#include "engine/schema/option.h"

#include <map>
#include <optional>
#include <string>
#include <vector>

namespace fairlead::model {

// A certificate from a file (or PEM text) and the stores it belongs to; only the store `default` serves.
struct TlsCertificate {
  std::string cert_file;
  std::string key_file;
  std::vector<std::string> stores;

  bool operator==(const TlsCertificate&) const = default;
};

struct ClientAuth {
  std::vector<std::string> ca_files;
  std::string client_auth_type;  // empty: RequireAndVerifyClientCert with caFiles, else NoClientCert

  bool operator==(const ClientAuth&) const = default;
};

struct TlsOptions {
  std::string min_version;
  std::string max_version;
  std::vector<std::string> cipher_suites;
  std::vector<std::string> curve_preferences;
  ClientAuth client_auth;
  bool sni_strict = false;
  std::vector<std::string> alpn_protocols = {"h2", "http/1.1", "acme-tls/1"};
  bool disable_session_tickets = false;
  std::optional<bool> prefer_server_cipher_suites;

  bool operator==(const TlsOptions&) const = default;
};

// The default certificate that a resolver obtains.
struct GeneratedCert {
  std::string resolver;
  std::optional<Domain> domain;

  bool operator==(const GeneratedCert&) const = default;
};

struct TlsStore {
  std::optional<KeyPair> default_certificate;
  std::optional<GeneratedCert> default_generated_cert;

  bool operator==(const TlsStore&) const = default;
};

struct Tls {
  std::vector<Element<TlsCertificate>> certificates;
  std::map<std::string, Element<TlsOptions>> options;
  std::map<std::string, Element<TlsStore>> stores;

  bool operator==(const Tls&) const = default;
};

}  // namespace fairlead::model

template <>
inline constexpr auto fairlead::schema::options<fairlead::model::TlsCertificate> = table(
    option<&model::TlsCertificate::cert_file>("certFile", "Certificate chain: a path or PEM text."),
    option<&model::TlsCertificate::key_file>("keyFile", "Private key: a path or PEM text.", {.secret = true}),
    option<&model::TlsCertificate::stores>("stores", "Stores it is put into; `default` when unset."));
static_assert(fairlead::schema::complete<fairlead::model::TlsCertificate>());

template <>
inline constexpr auto fairlead::schema::options<fairlead::model::ClientAuth> = table(
    option<&model::ClientAuth::ca_files>("caFiles", "Authorities of client certificates: paths or PEM text."),
    option<&model::ClientAuth::client_auth_type>(
        "clientAuthType",
        "NoClientCert, RequestClientCert, "
        "RequireAnyClientCert, VerifyClientCertIfGiven or "
        "RequireAndVerifyClientCert.",
        {.choices = "NoClientCert|RequestClientCert|RequireAnyClientCert|VerifyClientCertIfGiven|"
                    "RequireAndVerifyClientCert"}));
static_assert(fairlead::schema::complete<fairlead::model::ClientAuth>());

template <>
inline constexpr auto fairlead::schema::options<fairlead::model::TlsOptions> = table(
    option<&model::TlsOptions::min_version>("minVersion",
                                            "Lowest version: VersionTLS10, VersionTLS11, VersionTLS12 or "
                                            "VersionTLS13; TLS 1.2 when unset."),
    option<&model::TlsOptions::max_version>("maxVersion",
                                            "Highest version: VersionTLS10, VersionTLS11, VersionTLS12 or "
                                            "VersionTLS13."),
    option<&model::TlsOptions::cipher_suites>("cipherSuites", "Cipher suites up to TLS 1.2, best first."),
    option<&model::TlsOptions::curve_preferences>("curvePreferences", "Key exchange groups, best first."),
    option<&model::TlsOptions::client_auth>("clientAuth", "Asks clients for a certificate."),
    option<&model::TlsOptions::sni_strict>("sniStrict", "Refuse names that have no certificate."),
    option<&model::TlsOptions::alpn_protocols>("alpnProtocols", "Protocols offered, best first."),
    option<&model::TlsOptions::disable_session_tickets>("disableSessionTickets", "No resumption by tickets."),
    option<&model::TlsOptions::prefer_server_cipher_suites>(
        "preferServerCipherSuites", "Accepted and without effect.", {.deprecated = true}));
static_assert(fairlead::schema::complete<fairlead::model::TlsOptions>());

template <>
inline constexpr auto fairlead::schema::options<fairlead::model::GeneratedCert> = table(
    option<&model::GeneratedCert::resolver>("resolver", "Resolver that obtains the default certificate."),
    option<&model::GeneratedCert::domain>("domain", "Names of the default certificate."));
static_assert(fairlead::schema::complete<fairlead::model::GeneratedCert>());

template <>
inline constexpr auto fairlead::schema::options<fairlead::model::TlsStore> =
    table(option<&model::TlsStore::default_certificate>("defaultCertificate",
                                                        "Served where no certificate fits the name."),
          option<&model::TlsStore::default_generated_cert>("defaultGeneratedCert",
                                                           "Default certificate obtained by a resolver."));
static_assert(fairlead::schema::complete<fairlead::model::TlsStore>());
