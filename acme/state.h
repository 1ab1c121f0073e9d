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

// Times that are kept were noted by a clock that may have been ahead: what lies further ahead than anything
// is ever put off counts no more, else a name would wait for years. `longest`: what it can be put off for.
inline bool is_ahead(WallTime time, WallTime now, Duration longest = kLongestPatience) {
  return time > now && time <= now + longest;
}

// What went wrong for one name, and when it is tried again.
struct NameState {
  int failures = 0;
  WallTime since{};  // of the first failure in a row
  WallTime next_try{};
  std::string type;  // Problem::type
  std::string detail;

  // Whether its time is still to come. A failure of the future was one of a clock that was ahead.
  bool waits(WallTime now) const { return is_ahead(next_try, now) && since <= now + std::chrono::hours(1); }
  bool operator==(const NameState&) const = default;
};

// When the authority wants a certificate renewed (ARI), by its fingerprint.
struct RenewalState {
  WallTime renew_at{};  // a moment of the window, chosen by chance
  WallTime start{};
  WallTime end{};
  std::string explanation;
  WallTime next_poll{};

  static constexpr Duration kMostPoll = std::chrono::hours(24);  // between two questions
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

// An HTTP-01 answer for other instances.
struct TokenState {
  std::string answer;
  WallTime since{};

  bool operator==(const TokenState&) const = default;
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
  std::map<std::string, TokenState> tokens;
  // What is not understood stays as it was, as JSON text: certificates that cannot be read, other members.
  std::vector<std::string> unreadable;
  std::map<std::string, std::string> others;
};

// The whole of an acme.json, by resolver.
using State = std::map<std::string, ResolverState>;

}  // namespace fairlead::acme
