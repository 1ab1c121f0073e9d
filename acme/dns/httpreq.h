#pragma once

#include "acme/dns/provider.h"
#include "acme/dns/settings.h"

namespace fairlead::acme::dns {

// A web server of the user's that makes the records: POST …/present and …/cleanup. HTTPREQ_ENDPOINT,
// HTTPREQ_MODE (RAW or unset), HTTPREQ_USERNAME and HTTPREQ_PASSWORD.
Configured<MadeProvider> make_httpreq(Settings settings);

}  // namespace fairlead::acme::dns
