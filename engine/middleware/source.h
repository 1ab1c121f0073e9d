#pragma once

#include "engine/base/result.h"
#include "engine/exchange/exchange.h"
#include "engine/middleware/ip_strategy.h"
#include "engine/schema/option.h"

#include <optional>
#include <string>
#include <string_view>

namespace fairlead::middleware {

struct SourceCriterionOptions {
  std::optional<IpStrategyOptions> ip_strategy{};
  std::string request_header_name{};
  bool request_host = false;
};

// What rateLimit and inFlightReq count by: an address, the value of a header, or the host asked for.
class Source {
 public:
  enum class Kind : unsigned char { Ip, Header, Host };

  // `otherwise` when the options choose nothing. Errors: more than one choice, a bad ipStrategy; their path
  // begins with "sourceCriterion".
  static Configured<Source> make(const std::optional<SourceCriterionOptions>& options, Kind otherwise);

  // May be empty: all requests without a header share one source. Lives as long as the exchange.
  std::string_view of(exchange::Exchange& x) const;

 private:
  Kind kind_ = Kind::Ip;
  IpStrategy strategy_;
  std::string header_;
};

}  // namespace fairlead::middleware

template <>
inline constexpr auto fairlead::schema::options<fairlead::middleware::SourceCriterionOptions> =
    table(option<&middleware::SourceCriterionOptions::ip_strategy>("ipStrategy", "Count by client address.",
                                                                   {.tier = Tier::T2}),
          option<&middleware::SourceCriterionOptions::request_header_name>(
              "requestHeaderName", "Count by the value of this header.", {.tier = Tier::T2}),
          option<&middleware::SourceCriterionOptions::request_host>(
              "requestHost", "Count by the host that is asked for.", {.tier = Tier::T2}));
static_assert(fairlead::schema::complete<fairlead::middleware::SourceCriterionOptions>());
