#pragma once

#include "acme/dns/provider.h"
#include "acme/solver.h"

#include <string>

namespace fairlead::acme::dns {

// The provider of that code ("cloudflare"), from its variables in the environment. The error names what is
// missing; of an unknown code it gives the nearest known one. `follows_aliases`: records are made where
// _acme-challenge leads by CNAME.
Configured<MadeProvider> make_provider(const std::string& code, const Environment& environment,
                                       ZoneFinder find, bool follows_aliases);

}  // namespace fairlead::acme::dns
