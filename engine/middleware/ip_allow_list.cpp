#include "engine/middleware/ip_allow_list.h"

#include "engine/base/strings.h"

#include <fmt/format.h>

namespace fairlead::middleware {

Configured<std::shared_ptr<const IpAllowList>> IpAllowList::make(const Options& options, Making&) {
  if (options.source_range.empty()) return misconfigured("sourceRange", "must not be empty");
  auto allowed = IpSet::make("sourceRange", options.source_range);
  if (!allowed) return std::unexpected(allowed.error());
  auto strategy = IpStrategy::make(options.ip_strategy.value_or(IpStrategyOptions{}), "ipStrategy");
  if (!strategy) return std::unexpected(strategy.error());
  // 0 is "not set" where configuration is written by programs; a status below 200 could not end a request.
  const int status = options.reject_status_code == 0 ? 403 : options.reject_status_code;
  if (status < 200 || http::reason_phrase(status).empty())
    return misconfigured("rejectStatusCode", fmt::format("{} is no HTTP status", status));
  return std::make_shared<const IpAllowList>(std::move(*allowed), std::move(*strategy), status);
}

std::optional<exchange::Response> IpAllowList::on_request(exchange::Exchange& x) const {
  const auto ip = strategy_.ip(x);
  if (ip && allowed_.contains(*ip)) return std::nullopt;
  x.record.cause = Error{reject_status_, Fault::Client, false,
                         fmt::format("ipAllowList: {} is not in sourceRange", quoted(strategy_.text(x), 64))};
  // The words "404 page not found" are for hosts and paths that nobody serves.
  exchange::Response refusal = exchange::answer(x, reject_status_, reject_status_ == 404 ? "Not Found" : "");
  refusal.cause = x.record.cause;
  return refusal;
}

Configured<std::shared_ptr<const IpAllowList>> IpWhiteList::make(const Options& options, Making& making) {
  schema::Problem& notice = making.notices.emplace_back();
  notice.kind = schema::Problem::Kind::Deprecated;
  notice.severity = schema::Severity::Warning;
  notice.path = notice.key = "ipWhiteList";
  notice.segments = {"ipWhiteList"};
  notice.what = "is deprecated";
  notice.suggestion = "ipAllowList";
  return IpAllowList::make({.source_range = options.source_range, .ip_strategy = options.ip_strategy},
                           making);
}

}  // namespace fairlead::middleware
