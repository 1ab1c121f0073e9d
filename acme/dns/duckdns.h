#pragma once

#include "acme/dns/provider.h"
#include "acme/dns/settings.h"

namespace fairlead::acme::dns {

// DuckDNS. DUCKDNS_TOKEN; DUCKDNS_API_URL for another place. A domain there has room for one TXT value: a
// second one at the same time is refused.
Configured<MadeProvider> make_duckdns(Settings settings);

}  // namespace fairlead::acme::dns
