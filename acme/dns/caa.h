#pragma once

#include "acme/dns/resolver.h"
#include "engine/base/result.h"

#include <string>
#include <string_view>
#include <vector>

namespace fairlead::acme::dns {

// Whether the CAA records of a name let one of `issuers` ("letsencrypt.org") give it a certificate (RFC
// 8659). `name`: also "*.example.com". A refusal is an error that says which record refuses; false: the
// records could not be looked up, and the authority will see for itself.
Result<bool> caa_allows(const std::string& name, const std::vector<std::string>& issuers,
                        const Resolver& resolver);

// What the records found at `owner` say. Without records everything is allowed.
Result<> caa_verdict(const std::string& name, const std::string& owner,
                     const std::vector<CaaProperty>& properties, const std::vector<std::string>& issuers);

}  // namespace fairlead::acme::dns
