#include "engine/tls/certificate_table.h"

#include <algorithm>
#include <utility>

namespace fairlead::tls {
namespace {

constexpr auto kClockMoves = std::chrono::minutes(1);  // backwards, without anything being decided anew

}  // namespace

CertificateTable::CertificateTable(const std::vector<CertificatePtr>& certificates, CertificatePtr fallback,
                                   WallTime now)
    : fallback_(std::move(fallback)) {
  const auto valid = [now](const CertificatePtr& certificate) {
    return certificate->not_before() <= now && now < certificate->not_after();
  };
  for (const CertificatePtr& certificate : certificates)
    if (valid(certificate))
      for (const std::string& name : certificate->names()) add(name, certificate);
  std::vector<std::pair<const std::string*, const CertificatePtr*>> uncovered;
  for (const CertificatePtr& certificate : certificates)
    if (!valid(certificate))
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
  rebuild(std::chrono::system_clock::now());
}

void Certificates::set_configured(std::vector<CertificatePtr> certificates, CertificatePtr fallback,
                                  WallTime now) {
  const std::lock_guard lock(mutex_);
  if (configured_ == certificates && configured_fallback_ == fallback && !is_outdated(now)) return;
  configured_ = std::move(certificates);
  configured_fallback_ = std::move(fallback);
  rebuild(now);
}

void Certificates::set_issued(std::vector<CertificatePtr> certificates, CertificatePtr fallback,
                              WallTime now) {
  const std::lock_guard lock(mutex_);
  issued_ = std::move(certificates);
  issued_fallback_ = std::move(fallback);
  rebuild(now);
}

bool Certificates::outdated(WallTime now) const {
  const std::lock_guard lock(mutex_);
  return is_outdated(now);
}

bool Certificates::is_outdated(WallTime now) const {
  return now >= next_change_ || now < built_ - kClockMoves;
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

void Certificates::rebuild(WallTime now) {
  std::vector<CertificatePtr> all = configured_;
  all.insert(all.end(), issued_.begin(), issued_.end());
  built_ = now;
  next_change_ = WallTime::max();
  for (const CertificatePtr& certificate : all)
    for (const WallTime change : {certificate->not_before(), certificate->not_after()})
      if (change > now) next_change_ = std::min(next_change_, change);
  table_.set(std::make_shared<const CertificateTable>(all,
                                                      configured_fallback_ ? configured_fallback_
                                                      : issued_fallback_   ? issued_fallback_
                                                                           : self_signed_,
                                                      now));
}

}  // namespace fairlead::tls
