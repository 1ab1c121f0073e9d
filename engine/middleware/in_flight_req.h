#pragma once

#include "engine/exchange/middleware.h"
#include "engine/middleware/in_flight_counts.h"
#include "engine/middleware/registry.h"
#include "engine/middleware/source.h"
#include "engine/schema/option.h"

#include <cstdint>
#include <memory>
#include <optional>

namespace fairlead::middleware {

struct InFlightReqOptions {
  std::int64_t amount = 0;
  std::optional<SourceCriterionOptions> source_criterion;
};

// Answers 429 when as many requests of one source run already, on all workers together; each router that
// names the middleware is counted by itself. A request runs until its response body has ended; a tunnel as
// long as it is open.
class InFlightReq final : public exchange::Middleware {
 public:
  using Options = InFlightReqOptions;
  static Configured<std::shared_ptr<const InFlightReq>> make(const Options& options, Making& making);
  InFlightReq(std::string name, std::int64_t amount, Source source, std::shared_ptr<InFlightCounts> counts)
      : name_(std::move(name)), amount_(amount), source_(std::move(source)), counts_(std::move(counts)) {}

  Task<exchange::Response> handle(exchange::Exchange& x, exchange::Next next) const override;
  std::string_view counts_as() const override { return name_; }

 private:
  const std::string name_;
  const std::int64_t amount_;
  const Source source_;
  const std::shared_ptr<InFlightCounts> counts_;
};

}  // namespace fairlead::middleware

template <>
inline constexpr auto fairlead::schema::options<fairlead::middleware::InFlightReqOptions> =
    table(option<&middleware::InFlightReqOptions::amount>(
              "amount", "Requests of one source at once; 0 lets none pass.", {.tier = Tier::T2}),
          option<&middleware::InFlightReqOptions::source_criterion>(
              "sourceCriterion", "What makes a source; the host when nothing is set.", {.tier = Tier::T2}));
static_assert(fairlead::schema::complete<fairlead::middleware::InFlightReqOptions>());
