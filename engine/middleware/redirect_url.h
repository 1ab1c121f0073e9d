#pragma once

#include "engine/exchange/exchange.h"
#include "engine/exchange/response.h"

#include <optional>
#include <string>
#include <string_view>

// What the two redirecting middlewares share.
namespace fairlead::middleware {

// "Example.com" and ":8080" of "Example.com:8080"; brackets of IPv6 addresses stay.
struct HostAndPort {
  std::string_view host;
  std::string_view port;  // with its colon; empty: none
};
HostAndPort split_authority(std::string_view authority);

// "/path?query" as the request stands now.
std::string request_uri(const exchange::Exchange& x);

// The same with the semicolons of the query as the client wrote them: that servers get `&` for them is
// nothing that a client should be sent back with.
std::string uri_to_redirect(const exchange::Exchange& x);

// `url` as Go's net/url reads and writes it, as far as a Location needs it: what a URL cannot hold is
// escaped. Nothing when it is no URL: control bytes, a broken escape, a bad host or port, no scheme before a
// colon.
std::optional<std::string> normalized_url(std::string_view url);

// GET is answered 302 or 301, every other method, HEAD too, 307 or 308; with `keep_method` GET as well.
// Answers 502 when it is no URL.
exchange::Response redirect_to(exchange::Exchange& x, std::string_view url, bool permanent,
                               bool keep_method = false);

}  // namespace fairlead::middleware
