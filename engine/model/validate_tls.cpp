#include "engine/model/static.h"
#include "engine/model/validate_parts.h"
#include "engine/schema/scalar.h"
#include "engine/schema/suggest.h"

#include <algorithm>

namespace fairlead::model {
namespace {

void check_versions(const std::string& lowest, const std::string& highest, auto& element) {
  if (!lowest.empty() && !highest.empty() && lowest > highest)
    element.break_off(ReasonKind::BadOption,
                      fmt::format("minVersion {} is above maxVersion {}", lowest, highest));
}

void check_spiffe(const std::optional<Spiffe>& spiffe, bool others_set, auto& element) {
  if (spiffe && others_set)
    element.break_off(ReasonKind::BadOption, "spiffe excludes the other TLS options of a transport");
}

void not_negative(schema::Duration& value, schema::Duration instead, const char* option, auto& element) {
  if (value >= schema::Duration::zero()) return;
  element.warn(ReasonKind::BadOption,
               fmt::format("{} is negative; {} is used", option, schema::print_duration(instead)));
  value = instead;
}

// As in Traefik a version that nobody knows is left out, and the others of the set stay.
void known_version(std::string& version, const char* option, Element<TlsOptions>& element) {
  if (version.empty() || schema::is_choice(kTlsVersions, version)) return;
  const std::string near = schema::nearest_choice(kTlsVersions, version);
  element.warn(ReasonKind::BadOption,
               fmt::format("{} \"{}\" is no version and has no effect", option, schema::clip(version)),
               near.empty() ? "" : fmt::format("did you mean `{}`?", near));
  version.clear();
}

void check_options(Element<TlsOptions>& element) {
  known_version(element.options.min_version, "minVersion", element);
  known_version(element.options.max_version, "maxVersion", element);
  const TlsOptions& options = element.options;
  check_versions(options.min_version, options.max_version, element);
  const std::string& type = options.client_auth.client_auth_type;
  const bool verifies = type == "VerifyClientCertIfGiven" || type == "RequireAndVerifyClientCert";
  if (verifies && options.client_auth.ca_files.empty())
    element.break_off(ReasonKind::BadOption,
                      fmt::format("clientAuth.clientAuthType {} needs clientAuth.caFiles", type));
}

// As in Traefik a certificate needs both, and a configured one comes first.
void check_generated(const GeneratedCert& generated, const Static& install, Element<TlsStore>& element) {
  const bool has_domain =
      generated.domain && (!generated.domain->main.empty() || !generated.domain->sans.empty());
  if (!has_domain)
    element.warn(ReasonKind::Ineffective,
                 "defaultGeneratedCert names no domain, so no certificate is ordered",
                 "set defaultGeneratedCert.domain.main");
  if (generated.resolver.empty())
    element.warn(ReasonKind::Ineffective,
                 "defaultGeneratedCert names no resolver, so no certificate is ordered",
                 "set defaultGeneratedCert.resolver");
  else if (!install.certificates_resolvers.contains(generated.resolver))
    element.warn(ReasonKind::MissingReference,
                 fmt::format("there is no certificate resolver `{}`", generated.resolver),
                 hint_for(generated.resolver, install.certificates_resolvers));
}

}  // namespace

void validate_tls(Tls& tls, const Static& install) {
  for (auto& [name, element] : tls.options) check_options(element);
  for (auto& [name, element] : tls.stores) {
    const bool serves = name == "default";
    if (!serves && name != "acme-tls/1")
      element.warn(ReasonKind::Ineffective, "only the store `default` serves certificates");
    if (const auto& generated = element.options.default_generated_cert)
      check_generated(*generated, install, element);
  }
  for (Element<TlsCertificate>& element : tls.certificates) {
    const TlsCertificate& certificate = element.options;
    if (certificate.cert_file.empty() || certificate.key_file.empty())
      element.break_off(ReasonKind::BadOption, "a certificate needs certFile and keyFile");
    const auto& stores = certificate.stores;
    if (!stores.empty() && std::ranges::find(stores, "default") == stores.end())
      element.warn(ReasonKind::Ineffective, "is in no store that serves; only `default` does");
  }
}

void validate_transports(Dynamic& dynamic) {
  for (auto& [name, element] : dynamic.http.servers_transports) {
    ServersTransport& t = element.options;
    check_versions(t.min_version, t.max_version, element);
    check_spiffe(t.spiffe,
                 t.insecure_skip_verify || !t.root_cas.empty() || !t.certificates.empty() ||
                     !t.server_name.empty() || !t.peer_cert_uri.empty() || !t.peer_cert_sans.empty(),
                 element);
    ForwardingTimeouts& timeouts = t.forwarding_timeouts;
    if (timeouts.dial_timeout)
      not_negative(*timeouts.dial_timeout, std::chrono::seconds(30), "forwardingTimeouts.dialTimeout",
                   element);
    not_negative(timeouts.response_header_timeout, {}, "forwardingTimeouts.responseHeaderTimeout", element);
    not_negative(timeouts.idle_conn_timeout, std::chrono::seconds(90), "forwardingTimeouts.idleConnTimeout",
                 element);
    not_negative(timeouts.read_idle_timeout, {}, "forwardingTimeouts.readIdleTimeout", element);
    not_negative(timeouts.ping_timeout, std::chrono::seconds(15), "forwardingTimeouts.pingTimeout", element);
    // As in Go's library: no answer could be in time.
    if (timeouts.ping_timeout == schema::Duration::zero()) timeouts.ping_timeout = std::chrono::seconds(15);
  }
  for (auto& [name, element] : dynamic.tcp.servers_transports) {
    TcpServersTransport& t = element.options;
    if (t.tls)
      check_spiffe(t.tls->spiffe,
                   t.tls->insecure_skip_verify || !t.tls->root_cas.empty() || !t.tls->certificates.empty() ||
                       !t.tls->server_name.empty(),
                   element);
    if (t.dial_timeout) not_negative(*t.dial_timeout, std::chrono::seconds(30), "dialTimeout", element);
    if (t.dial_keep_alive == schema::Duration::zero()) t.dial_keep_alive = std::chrono::seconds(15);
  }
}

}  // namespace fairlead::model
