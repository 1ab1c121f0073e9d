#include "engine/admin/acme_http.h"

namespace fairlead::admin {
namespace {

constexpr std::string_view kChallenges = "/.well-known/acme-challenge/";

}  // namespace

Task<exchange::Response> AcmeHttp::serve(exchange::Exchange& x) const {
  const std::string_view path = x.request.path;
  if (path.starts_with(kChallenges) && sources_->http01)
    if (const auto answer = sources_->http01(path.substr(kChallenges.size())))
      return Task<exchange::Response>::ready(
          exchange::plain(x, 200, "application/octet-stream", x.arena().copy(*answer)));
  return Task<exchange::Response>::ready(exchange::answer(x, 404));
}

}  // namespace fairlead::admin
