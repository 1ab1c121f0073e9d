#pragma once

#include "acme/dns/provider.h"
#include "acme/dns/settings.h"

namespace fairlead::acme::dns {

// Hetzner: HETZNER_API_TOKEN for the zones of its cloud console (HETZNER_API_URL for another place), or
// HETZNER_API_KEY for those of the older DNS console (HETZNER_DNS_API_URL).
Configured<MadeProvider> make_hetzner(Settings settings, ZoneFinder find);

}  // namespace fairlead::acme::dns
