#include "engine/middleware/registry.h"

#include "engine/base/strings.h"
#include "engine/middleware/add_prefix.h"
#include "engine/middleware/api_key.h"
#include "engine/middleware/basic_auth.h"
#include "engine/middleware/buffering.h"
#include "engine/middleware/chain.h"
#include "engine/middleware/circuit_breaker.h"
#include "engine/middleware/compress.h"
#include "engine/middleware/content_type.h"
#include "engine/middleware/digest_auth.h"
#include "engine/middleware/encoded_characters.h"
#include "engine/middleware/entry.h"
#include "engine/middleware/errors.h"
#include "engine/middleware/forward_auth.h"
#include "engine/middleware/grpc_web.h"
#include "engine/middleware/headers.h"
#include "engine/middleware/in_flight_req.h"
#include "engine/middleware/ip_allow_list.h"
#include "engine/middleware/maintenance.h"
#include "engine/middleware/pass_tls_client_cert.h"
#include "engine/middleware/plugin.h"
#include "engine/middleware/rate_limit.h"
#include "engine/middleware/redirect_regex.h"
#include "engine/middleware/redirect_scheme.h"
#include "engine/middleware/replace_path.h"
#include "engine/middleware/replace_path_regex.h"
#include "engine/middleware/request_id.h"
#include "engine/middleware/retry.h"
#include "engine/middleware/strip_prefix.h"
#include "engine/middleware/strip_prefix_regex.h"

#include <algorithm>
#include <array>

namespace fairlead::middleware {
namespace {

constexpr bool kMayBeEmpty = true;

constexpr auto kTypes = std::to_array<Type>({
    entry<AddPrefix>("addPrefix", "Adds a path prefix before forwarding."),
    entry<ApiKey>("apiKey", "Asks for a key in a header, the query or a cookie."),
    entry<BasicAuth>("basicAuth", "Asks for a user and a password."),
    entry<Buffering>("buffering", "Reads whole requests and responses before they go on."),
    entry<ChainOf>("chain", "Names other middlewares, to be used together."),
    entry<CircuitBreaker>("circuitBreaker", "Stops sending requests to a service that fails."),
    entry<Compress, kMayBeEmpty>("compress", "Compresses response bodies, by what the client accepts."),
    entry<ContentType, kMayBeEmpty>("contentType", "Guesses the Content-Type that a server left out."),
    entry<DigestAuth>("digestAuth", "Asks for a user and proof of a password."),
    entry<EncodedCharacters>("encodedCharacters", "Refuses paths with escapes that are not allowed."),
    entry<Errors>("errors", "Replaces responses with certain codes by pages of another service."),
    entry<ForwardAuth>("forwardAuth", "Asks another server whether a request may pass."),
    entry<GrpcWeb>("grpcWeb", "Lets browsers talk to gRPC services."),
    entry<Headers>("headers", "Sets headers: custom ones, CORS and security."),
    entry<InFlightReq>("inFlightReq", "Limits how many requests of one source run at once."),
    entry<IpAllowList>("ipAllowList", "Lets only certain client addresses pass."),
    deprecated(entry<IpWhiteList>("ipWhiteList", "The old name of ipAllowList."), "ipAllowList"),
    entry<Maintenance, kMayBeEmpty>("maintenance", "Answers 503 to all but certain client addresses."),
    entry<PassTlsClientCert>("passTLSClientCert", "Tells the server about the client's certificate."),
    entry<Plugin>("plugin", "Traefik's plugins; they cannot be used here."),
    entry<RateLimit>("rateLimit", "Limits the requests of each source."),
    entry<RedirectRegex>("redirectRegex", "Redirects URLs that match a pattern."),
    entry<RedirectScheme>("redirectScheme", "Redirects to another scheme or port."),
    entry<ReplacePath>("replacePath", "Replaces the whole path."),
    entry<ReplacePathRegex>("replacePathRegex", "Rewrites the path by a pattern."),
    entry<RequestId, kMayBeEmpty>("requestId", "Gives each request an identifier."),
    entry<Retry>("retry", "Sends a request again that failed."),
    entry<StripPrefix>("stripPrefix", "Removes one of several prefixes from the path."),
    entry<StripPrefixRegex>("stripPrefixRegex", "Removes a matching prefix from the path."),
});

constexpr auto kNames = [] {
  std::array<std::string_view, kTypes.size()> names;
  for (std::size_t i = 0; i < names.size(); ++i) names[i] = kTypes[i].name;
  return names;
}();
static_assert(std::ranges::is_sorted(kNames), "the reference and the API list them in this order");

}  // namespace

std::span<const Type> types() { return kTypes; }

std::span<const std::string_view> type_names() { return kNames; }

const Type* find(std::string_view name) {
  const auto found = std::ranges::find_if(kTypes, [&](const Type& type) { return iequals(type.name, name); });
  return found == kTypes.end() ? nullptr : &*found;
}

}  // namespace fairlead::middleware
