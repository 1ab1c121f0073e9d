#pragma once

#include "acme/account.h"
#include "acme/messages.h"
#include "engine/base/clock.h"
#include "engine/tls/text_table.h"

#include <map>
#include <optional>
#include <string>
#include <vector>

namespace fairlead::acme {

// One certificate as acme.json keeps it.
struct StoredCertificate {
  std::string main;
  std::vector<std::string> sans;
  tls::CertificateTextPtr text;  // never null
  std::string store = "default";

  std::vector<std::string> names() const {
    std::vector<std::string> out{main};
    out.insert(out.end(), sans.begin(), sans.end());
    return out;
  }
};

// What went wrong for one name, and when it is tried again.
struct NameState {
  int failures = 0;
  WallTime since{};  // of the first failure in a row
  WallTime next_try{};
  std::string type;  // Problem::type
  std::string detail;

  bool operator==(const NameState&) const = default;
};

// When the authority wants a certificate renewed (ARI), by its fingerprint.
struct RenewalState {
  WallTime renew_at{};  // a moment of the window, chosen by chance
  WallTime start{};
  WallTime end{};
  std::string explanation;
  WallTime next_poll{};

  bool operator==(const RenewalState&) const = default;
};

// What is left of the authority's patience.
struct LimitState {
  WallTime until{};  // nothing is asked for before
  std::string type;  // Problem::type
  std::string detail;
  std::vector<WallTime> orders;  // of the last three hours, oldest first

  bool operator==(const LimitState&) const = default;
};

// What is kept for one resolver.
struct ResolverState {
  std::optional<Account> account;
  std::vector<StoredCertificate> certificates;
  std::map<std::string, NameState> names;
  std::map<std::string, RenewalState> renewals;
  LimitState limits;
  std::string authority;  // directory that `limits` are about; empty: not known
  std::string setup;      // what the failures of `names` happened with (Resolver::setup()); empty: not known
  std::map<std::string, std::string> tokens;  // HTTP-01 answers for other instances
  // What is not understood stays as it was, as JSON text: certificates that cannot be read, other members.
  std::vector<std::string> unreadable;
  std::map<std::string, std::string> others;
};

// The whole of an acme.json, by resolver.
using State = std::map<std::string, ResolverState>;

}  // namespace fairlead::acme
