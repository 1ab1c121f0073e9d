#include "engine/admin/certificates.h"

#include "engine/admin/api_list.h"
#include "engine/admin/json_text.h"
#include "engine/base/strings.h"
#include "engine/tls/certificate_details.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>
#include <chrono>
#include <ctime>
#include <map>
#include <string>
#include <vector>

namespace fairlead::admin {
namespace {

using Json = nlohmann::ordered_json;
using std::chrono::system_clock;

constexpr auto kSoon = std::chrono::hours(24 * 30);

std::vector<CertificateView> all(const Sources& sources) {
  return sources.certificates ? sources.certificates() : std::vector<CertificateView>{};
}

std::string name_of(const CertificateView& view) {
  return view.certificate ? view.certificate->fingerprint() : join(view.names, ",");
}

std::string_view status_of(const CertificateView& view) {
  if (!view.certificate) return "missing";
  const auto now = system_clock::now();
  const auto end = view.certificate->not_after();
  if (end <= now) return "expired";
  return end - now < kSoon || !view.error.empty() ? "warning" : "enabled";
}

// Names and addresses, sorted.
std::vector<std::string> alternative_names(const tls::CertificateDetails& details) {
  std::vector<std::string> out = details.dns_names;
  out.insert(out.end(), details.addresses.begin(), details.addresses.end());
  std::ranges::sort(out);
  return out;
}

Json json_of(const CertificateView& view) {
  Json out{{"name", name_of(view)}, {"sans", view.names}};
  if (view.certificate) {
    const tls::Certificate& certificate = *view.certificate;
    const tls::CertificateDetails details = tls::details_of(certificate);
    out["sans"] = alternative_names(details);
    out["notAfter"] = time_text(certificate.not_after());
    out["notBefore"] = time_text(certificate.not_before());
    out["serialNumber"] = details.serial;
    out["commonName"] = details.common_name;
    const auto some = [&out](const char* key, const std::string& value) {
      if (!value.empty()) out[key] = value;
    };
    some("issuerOrg", details.issuer_organization);
    some("issuerCN", details.issuer_common_name);
    some("issuerCountry", details.issuer_country);
    some("organization", details.organization);
    some("country", details.country);
    out["version"] = fmt::format("v{}", details.version);
    out["keyType"] = details.key_type;
    out["keySize"] = details.key_bits;
    out["signatureAlgorithm"] = details.signature_algorithm;
    out["certFingerprint"] = certificate.fingerprint();
    out["publicKeyFingerprint"] = details.public_key_fingerprint;
  }
  out["status"] = status_of(view);
  if (!view.resolver.empty()) out["resolver"] = view.resolver;
  if (!view.routers.empty()) out["routers"] = view.routers;
  if (!view.next.empty()) out["next"] = view.next;
  if (!view.error.empty()) out["error"] = view.error;
  if (!view.meaning.empty()) out["meaning"] = view.meaning;
  return out;
}

}  // namespace

ApiAnswer answer_certificates(const std::string* name, std::string_view parameters, const Sources& sources) {
  const std::vector<CertificateView> views = all(sources);
  if (name) {
    for (const CertificateView& view : views)
      if (name_of(view) == *name) return {.status = 200, .body = dump(json_of(view)), .next_page = 0};
    return ApiAnswer::error(404, fmt::format("certificate not found: {}", *name));
  }
  std::vector<std::string> names;
  std::vector<std::string> searched;
  names.reserve(views.size());
  searched.reserve(views.size());
  const bool searches = parameters.find("search=") != std::string_view::npos;
  std::vector<ListItem> items;
  for (const CertificateView& view : views) {
    // Sorted by what people look for, which is the common name in all but odd ones: no certificate is read
    // for it.
    names.push_back(view.names.empty() ? name_of(view) : view.names.front());
    searched.push_back(join(view.names, " "));
    if (searches && view.certificate) {
      const tls::CertificateDetails details = tls::details_of(*view.certificate);
      for (const std::string* more : {&details.issuer_organization, &details.issuer_common_name})
        searched.back() += ' ' + *more;
    }
    items.push_back({.name = names.back(),
                     .status = status_of(view),
                     .searched = searched.back(),
                     .service = {},
                     .json = [&view] { return dump(json_of(view)); }});
  }
  return list(std::move(items), parameters);
}

CertificateTotals certificate_totals(const Sources& sources) {
  CertificateTotals out;
  for (const CertificateView& view : all(sources)) {
    const std::string_view status = status_of(view);
    ++out.total;
    out.warnings += status == "warning";
    out.errors += status == "expired" || (status == "missing" && !view.error.empty());
  }
  return out;
}

void write_certificates(observe::MetricWriter& out, const Sources& sources) {
  const std::vector<CertificateView> views = all(sources);
  // No page may have a series twice: of two authorities that gave one name and number the earlier end counts.
  std::map<std::array<std::string, 3>, std::time_t> ends;
  for (const CertificateView& view : views) {
    if (!view.certificate) continue;
    const tls::CertificateDetails details = tls::details_of(*view.certificate);
    std::vector<std::string> dns_names = details.dns_names;
    std::ranges::sort(dns_names);
    const std::time_t end = system_clock::to_time_t(view.certificate->not_after());
    const auto [at, is_new] =
        ends.try_emplace({details.common_name, join(dns_names, ","), details.serial}, end);
    at->second = std::min(at->second, end);
  }
  if (ends.empty()) return;
  out.family("traefik_tls_certs_not_after", "When the certificate ends, in Unix seconds.", "gauge");
  for (const auto& [about, end] : ends) {
    const std::pair<std::string_view, std::string_view> labels[] = {
        {"cn", about[0]}, {"sans", about[1]}, {"serial", about[2]}};
    out.sample("traefik_tls_certs_not_after", labels, static_cast<double>(end));
  }
}

}  // namespace fairlead::admin
