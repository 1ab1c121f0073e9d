#pragma once

#include "acme/dns/provider.h"
#include "acme/dns/settings.h"

namespace fairlead::acme::dns {

// DigitalOcean's API v2. DO_AUTH_TOKEN; DO_API_URL for another place.
Configured<MadeProvider> make_digitalocean(Settings settings, ZoneFinder find);

}  // namespace fairlead::acme::dns
