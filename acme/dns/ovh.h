#pragma once

#include "acme/dns/provider.h"
#include "acme/dns/settings.h"

#include <string>

namespace fairlead::acme::dns {

// OVHcloud's API. OVH_ENDPOINT (ovh-eu, ovh-ca, ovh-us, … or a URL) with OVH_APPLICATION_KEY,
// OVH_APPLICATION_SECRET and OVH_CONSUMER_KEY; or OVH_ACCESS_TOKEN; or OVH_CLIENT_ID and OVH_CLIENT_SECRET
// (OVH_TOKEN_URL for another place of the tokens).
Configured<MadeProvider> make_ovh(Settings settings, ZoneFinder find);

// "$1$" and the SHA-1 of what a call consists of; `time`: s since 1970, by the server's clock.
std::string ovh_signature(const std::string& secret, const std::string& consumer_key,
                          const std::string& method, const std::string& url, const std::string& body,
                          const std::string& time);

}  // namespace fairlead::acme::dns
