#include "engine/tls/certificate_table.h"

#include <utility>

namespace fairlead::tls {

CertificateTable::CertificateTable(const std::vector<CertificatePtr>& certificates, CertificatePtr fallback,
                                   std::chrono::system_clock::time_point now)
    : fallback_(std::move(fallback)) {
  const auto expired = [now](const CertificatePtr& certificate) { return certificate->not_after() <= now; };
  for (const CertificatePtr& certificate : certificates)
    if (!expired(certificate))
      for (const std::string& name : certificate->names()) add(name, certificate);
  std::vector<std::pair<const std::string*, const CertificatePtr*>> uncovered;
  for (const CertificatePtr& certificate : certificates)
    if (expired(certificate))
      for (const std::string& name : certificate->names())
        if (!find(name)) uncovered.emplace_back(&name, &certificate);
  for (const auto& [name, certificate] : uncovered) add(*name, *certificate);
}

void CertificateTable::add(const std::string& name, const CertificatePtr& certificate) {
  Identity& identity = names_[name];
  CertificatePtr& slot = certificate->is_ecdsa() ? identity.ecdsa : identity.rsa;
  if (!slot) slot = certificate;
}

const Identity* CertificateTable::find(std::string_view name) const {
  if (const auto exact = names_.find(name); exact != names_.end()) return &exact->second;
  const auto dot = name.find('.');
  if (dot == std::string_view::npos || dot == 0) return nullptr;
  std::string wildcard = "*";
  wildcard += name.substr(dot);
  const auto found = names_.find(wildcard);
  return found == names_.end() ? nullptr : &found->second;
}

Certificates::Certificates()
    : self_signed_(Certificate::self_signed(kNoCertificateYet, {})),
      table_(std::make_shared<const CertificateTable>()) {
  rebuild();
}

void Certificates::set_configured(std::vector<CertificatePtr> certificates, CertificatePtr fallback) {
  const std::lock_guard lock(mutex_);
  if (configured_ == certificates && configured_fallback_ == fallback) return;
  configured_ = std::move(certificates);
  configured_fallback_ = std::move(fallback);
  rebuild();
}

void Certificates::set_issued(std::vector<CertificatePtr> certificates, CertificatePtr fallback) {
  const std::lock_guard lock(mutex_);
  issued_ = std::move(certificates);
  issued_fallback_ = std::move(fallback);
  rebuild();
}

std::vector<CertificatePtr> Certificates::configured() const {
  const std::lock_guard lock(mutex_);
  return configured_;
}

std::vector<CertificatePtr> Certificates::all() const {
  const std::lock_guard lock(mutex_);
  std::vector<CertificatePtr> out = configured_;
  out.insert(out.end(), issued_.begin(), issued_.end());
  return out;
}

void Certificates::rebuild() {
  std::vector<CertificatePtr> all = configured_;
  all.insert(all.end(), issued_.begin(), issued_.end());
  table_.set(std::make_shared<const CertificateTable>(all, configured_fallback_ ? configured_fallback_
                                                           : issued_fallback_   ? issued_fallback_
                                                                                : self_signed_));
}

}  // namespace fairlead::tls
