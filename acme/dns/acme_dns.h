#pragma once

#include "acme/dns/provider.h"
#include "acme/dns/settings.h"

namespace fairlead::acme::dns {

// An acme-dns server (https://github.com/joohoi/acme-dns): ACME_DNS_API_BASE, ACME_DNS_STORAGE_PATH (accounts
// by domain, as lego keeps them), ACME_DNS_ALLOWLIST. A domain without an account gets one, and the error
// says which CNAME record completes it. The server keeps the last two values of an account: enough for a
// domain and its wildcard.
Configured<MadeProvider> make_acme_dns(Settings settings, bool follows_aliases);

}  // namespace fairlead::acme::dns
