#pragma once

#include "acme/solver.h"
#include "engine/base/result.h"
#include "engine/model/resolvers.h"

#include <memory>

namespace fairlead::acme {

// Proves names by TXT records (RFC 8555 §8.4): made by one of the providers of acme/dns, where
// _acme-challenge leads by CNAME (unless LEGO_DISABLE_CNAME_SUPPORT is true), and waited for until every name
// server of the zone shows them. The error names the provider and the variable that is missing. Copies
// `environment`.
Configured<std::unique_ptr<Solver>> make_dns01_solver(const model::DnsChallenge& options,
                                                      Environment environment);

}  // namespace fairlead::acme
