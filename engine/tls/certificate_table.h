#pragma once

#include "engine/base/clock.h"
#include "engine/tls/certificate.h"
#include "engine/tls/published.h"

#include <chrono>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace fairlead::tls {

// Which certificates a name has: one per kind of key, of which OpenSSL chooses by what the client takes.
struct Identity {
  CertificatePtr ecdsa;
  CertificatePtr rsa;
  bool empty() const { return !ecdsa && !rsa; }
};

// Name → certificates. Immutable.
class CertificateTable {
 public:
  CertificateTable() = default;
  // Of two certificates for one name (and kind of key) the first counts. One that has expired, or is not yet
  // valid, serves only names that no valid one covers, not even by a wildcard.
  CertificateTable(const std::vector<CertificatePtr>& certificates, CertificatePtr fallback,
                   WallTime now = std::chrono::system_clock::now());

  // The name itself, else `*.` and what follows its first label; `name` in lower case, or an address. Null:
  // none.
  const Identity* find(std::string_view name) const;
  // Served where no certificate fits; null: none.
  const CertificatePtr& fallback() const { return fallback_; }
  std::size_t size() const { return names_.size(); }

 private:
  struct Hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const { return std::hash<std::string_view>{}(text); }
  };
  void add(const std::string& name, const CertificatePtr& certificate);

  std::unordered_map<std::string, Identity, Hash, std::equal_to<>> names_;
  CertificatePtr fallback_;
};

// The certificates in force, from all sources. Any thread; each change is seen by the next handshake.
class Certificates {
 public:
  Certificates();

  // Those of the configuration; `fallback` null: a self-signed one, made once per process.
  void set_configured(std::vector<CertificatePtr> certificates, CertificatePtr fallback,
                      WallTime now = std::chrono::system_clock::now());
  // Those that resolvers obtained; the configured ones come first. `fallback`: of
  // tls.stores.default.defaultGeneratedCert, behind a configured default certificate.
  void set_issued(std::vector<CertificatePtr> certificates, CertificatePtr fallback = nullptr,
                  WallTime now = std::chrono::system_clock::now());
  // Whether one of any source has begun or ended since, or the clock was put back: they are to be set again.
  bool outdated(WallTime now = std::chrono::system_clock::now()) const;

  std::shared_ptr<const CertificateTable> table() const { return table_.get(); }
  std::vector<CertificatePtr> configured() const;
  // All that serve, configured ones first.
  std::vector<CertificatePtr> all() const;

 private:
  bool is_outdated(WallTime now) const;
  void rebuild(WallTime now);

  mutable std::mutex mutex_;  // guards the sources, and the times
  std::vector<CertificatePtr> configured_;
  std::vector<CertificatePtr> issued_;
  CertificatePtr configured_fallback_;
  CertificatePtr issued_fallback_;
  CertificatePtr self_signed_;
  WallTime built_{};        // the moment that the table was made for
  WallTime next_change_{};  // when the next one begins or ends
  Published<CertificateTable> table_;
};

// Subject of the certificate that is served while there is no other.
inline constexpr const char* kNoCertificateYet = "Fairlead: no certificate for this name yet";

}  // namespace fairlead::tls
