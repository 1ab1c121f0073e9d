#pragma once

#include "acme/dns/provider.h"
#include "acme/dns/settings.h"

namespace fairlead::acme::dns {

// Gandi's LiveDNS. GANDIV5_PERSONAL_ACCESS_TOKEN, or the older GANDIV5_API_KEY; GANDIV5_API_URL for another
// place.
Configured<MadeProvider> make_gandi(Settings settings, ZoneFinder find);

}  // namespace fairlead::acme::dns
