#pragma once

#include "engine/exchange/exchange.h"

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace fairlead::middleware {

using HeaderList = std::vector<std::pair<std::string, std::string>>;

// The headers that an authentication server is sent: the client's without hop-by-hop ones and those that
// Connection names, and X-Forwarded-Method, -Proto, -Host, -Uri and -For about the request.
//
// trust: the request's own X-Forwarded-* stay where they are given. Not trusted: every managed header goes,
// in every spelling, and is made anew, X-Forwarded-Port too. Unset: those five are made anew, others pass.
// only: names that are kept; all when empty.
HeaderList auth_request_headers(const exchange::Exchange& x, std::optional<bool> trust,
                                const std::vector<std::string>& only);

// Connection, Keep-Alive, Te and the like (RFC 9110 §7.6.1).
bool is_hop_by_hop(std::string_view name);

// "x-auth-USER" as Go spells it: "X-Auth-User". Unchanged when it is no token.
std::string canonical_header_name(std::string_view name);

// `reference` made absolute against `base` (RFC 3986 §5); nothing when that gives no URL.
std::optional<std::string> resolve_url(const std::string& base, const std::string& reference);

}  // namespace fairlead::middleware
