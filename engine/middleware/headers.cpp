#include "engine/middleware/headers.h"

#include "engine/middleware/slips.h"

namespace fairlead::middleware {

Configured<std::shared_ptr<const Headers>> Headers::make(const Options& options, Making& making) {
  auto on_requests =
      HeaderEdits::make("customRequestHeaders", options.custom_request_headers, making.notices);
  if (!on_requests) return std::unexpected(on_requests.error());
  auto on_responses =
      HeaderEdits::make("customResponseHeaders", options.custom_response_headers, making.notices);
  if (!on_responses) return std::unexpected(on_responses.error());

  std::optional<Cors> cors;
  if (Cors::is_wanted(options)) {
    auto made = Cors::make(options);
    if (!made) return std::unexpected(made.error());
    cors = std::move(*made);
    tell_unsent_origins("accessControlAllowOriginList", options.access_control_allow_origin_list,
                        making.notices);
    tell_cut_patterns("accessControlAllowOriginListRegex", options.access_control_allow_origin_list_regex,
                      making.notices);
  }
  std::optional<SecurityHeaders> security;
  if (SecurityHeaders::is_wanted(options)) {
    auto made = SecurityHeaders::make(options);
    if (!made) return std::unexpected(made.error());
    security = std::move(*made);
  }
  if (!cors && !security && options.custom_request_headers.empty() && options.custom_response_headers.empty())
    return misconfigured("", "needs at least one option");
  return std::make_shared<const Headers>(std::move(*on_requests), std::move(*on_responses), std::move(cors),
                                         std::move(security));
}

std::optional<exchange::Response> Headers::on_request(exchange::Exchange& x) const {
  if (cors_)
    if (auto preflight = cors_->preflight(x)) return preflight;
  on_requests_.apply_to_request(x);
  if (!security_ || security_->host_is_allowed(x)) return std::nullopt;
  x.record.cause = Error{500, Fault::Client, false, "the host is none of allowedHosts"};
  exchange::Response refusal = exchange::answer(x, 500, "Bad Host\n");
  refusal.cause = x.record.cause;
  on_responses_.apply_to_response(refusal.head.fields);
  if (cors_) cors_->apply(x, refusal.head.fields);
  return refusal;
}

void Headers::on_response(exchange::Exchange& x, exchange::Response& response) const {
  if (response.head.status == 101) return;
  if (security_) security_->apply(x, response.head.fields);
  on_responses_.apply_to_response(response.head.fields);
  if (cors_) cors_->apply(x, response.head.fields);
}

}  // namespace fairlead::middleware
