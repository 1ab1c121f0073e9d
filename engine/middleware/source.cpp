#include "engine/middleware/source.h"

#include "engine/http/fields.h"

namespace fairlead::middleware {

Configured<Source> Source::make(const std::optional<SourceCriterionOptions>& options, Kind otherwise) {
  Source source;
  source.kind_ = otherwise;
  if (!options) return source;
  const int chosen = (options->ip_strategy ? 1 : 0) + (options->request_header_name.empty() ? 0 : 1) +
                     (options->request_host ? 1 : 0);
  if (chosen > 1)
    return misconfigured("sourceCriterion",
                         "must have only one of ipStrategy, requestHeaderName and requestHost");
  if (options->ip_strategy) {
    auto strategy = IpStrategy::make(*options->ip_strategy, "sourceCriterion.ipStrategy");
    if (!strategy) return std::unexpected(strategy.error());
    source.kind_ = Kind::Ip;
    source.strategy_ = std::move(*strategy);
  } else if (!options->request_header_name.empty()) {
    if (!http::is_token(options->request_header_name))
      return misconfigured("sourceCriterion.requestHeaderName", "must be the name of a header");
    source.kind_ = Kind::Header;
    source.header_ = options->request_header_name;
  } else if (options->request_host) {
    source.kind_ = Kind::Host;
  }
  return source;
}

std::string_view Source::of(exchange::Exchange& x) const {
  switch (kind_) {
    case Kind::Ip: return strategy_.text(x);
    case Kind::Header: return x.request.fields.get(header_);
    // The canonical form: case, port and a trailing dot make no other source of one host.
    case Kind::Host: return x.request.host;
  }
  return {};
}

}  // namespace fairlead::middleware
