#include "engine/tcp/ip_allow_list.h"

#include "engine/tcp/registry.h"

namespace fairlead::tcp {

Configured<std::shared_ptr<const IpAllowList>> IpAllowList::make(const Options& options, Making&) {
  if (options.source_range.empty()) return misconfigured("sourceRange", "must not be empty");
  auto allowed = middleware::IpSet::make("sourceRange", options.source_range);
  if (!allowed) return std::unexpected(allowed.error());
  return std::make_shared<const IpAllowList>(std::move(*allowed));
}

Result<> IpAllowList::admit(std::string_view, const net::Address& client, Holds&) const {
  if (allowed_.contains(client.ip)) return {};
  return fail(403, Fault::Client, client.ip.text() + " is not in sourceRange");
}

Configured<std::shared_ptr<const IpAllowList>> IpWhiteList::make(const Options& options, Making& making) {
  schema::Problem& notice = making.notices.emplace_back();
  notice.kind = schema::Problem::Kind::Deprecated;
  notice.severity = schema::Severity::Warning;
  notice.path = notice.key = "ipWhiteList";
  notice.segments = {"ipWhiteList"};
  notice.what = "is deprecated";
  notice.suggestion = "ipAllowList";
  return IpAllowList::make(options, making);
}

}  // namespace fairlead::tcp
