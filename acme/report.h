#pragma once

#include "engine/model/reason.h"

#include <map>
#include <string>
#include <vector>

namespace fairlead::acme {

// One certificate, or one that is wanted and not there, as its owner sees it.
struct CertificateStatus {
  std::vector<std::string> names;
  std::string resolver;  // empty: configured, from a file
  std::vector<std::string> routers;
  std::string fingerprint;  // SHA-256 of the leaf; empty: there is none
  std::string next;         // what happens next, in words: "renewed at 2026-12-01T10:00:00Z"
  std::string error;        // the last failure, in the authority's words
  std::string meaning;      // and what it means
};

// What happens next to a certificate from a file.
inline constexpr const char* kOwnerRenews = "its owner renews it";

// What is known about certificates at one moment. Immutable.
struct Report {
  std::vector<CertificateStatus> certificates;
  // By router, as Wanted::routers names them.
  std::map<std::string, std::vector<model::Reason>, std::less<>> reasons;
};

}  // namespace fairlead::acme
