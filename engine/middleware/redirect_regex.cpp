#include "engine/middleware/redirect_regex.h"

#include "engine/middleware/redirect_url.h"
#include "engine/middleware/slips.h"

namespace fairlead::middleware {

Configured<std::shared_ptr<const RedirectRegex>> RedirectRegex::make(Options options, Making& making) {
  if (options.regex.empty()) return misconfigured("regex", "must not be empty");
  auto regex = compile_pattern("regex", options.regex);
  if (!regex) return std::unexpected(regex.error());
  Replacement replacement(std::move(*regex), options.replacement);
  tell_lost_groups("replacement", options.replacement, replacement, making.notices);
  return std::make_shared<const RedirectRegex>(std::move(replacement), options.permanent);
}

std::optional<exchange::Response> RedirectRegex::on_request(exchange::Exchange& x) const {
  std::string url = x.is_tls() ? "https://" : "http://";
  url.append(x.request.authority).append(uri_to_redirect(x));
  if (!replacement_.matches(url)) return std::nullopt;
  const auto target = replacement_.replace_all(url);
  if (!target)
    return exchange::failure(x, Error{502, Fault::Proxy, false, "the URL to redirect to is too long"});
  if (*target == url) return std::nullopt;
  return redirect_to(x, *target, permanent_);
}

}  // namespace fairlead::middleware
