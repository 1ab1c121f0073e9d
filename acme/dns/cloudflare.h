#pragma once

#include "acme/dns/provider.h"
#include "acme/dns/settings.h"

namespace fairlead::acme::dns {

// Cloudflare's API v4. CF_DNS_API_TOKEN (and CF_ZONE_API_TOKEN to read zones with), or CF_API_EMAIL and
// CF_API_KEY; each also as CLOUDFLARE_…; CLOUDFLARE_BASE_URL for another place.
Configured<MadeProvider> make_cloudflare(Settings settings, ZoneFinder find);

}  // namespace fairlead::acme::dns
