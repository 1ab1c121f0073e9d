#pragma once

#include "acme/dns/provider.h"
#include "acme/dns/settings.h"

namespace fairlead::acme::dns {

// deSEC. DESEC_TOKEN; DESEC_API_URL for another place. The zone is asked of the API, which knows it best.
Configured<MadeProvider> make_desec(Settings settings);

}  // namespace fairlead::acme::dns
