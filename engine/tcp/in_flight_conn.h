#pragma once

#include "engine/middleware/in_flight_counts.h"
#include "engine/schema/option.h"
#include "engine/tcp/middleware.h"

#include <cstdint>
#include <memory>

namespace fairlead::tcp {

struct Making;

struct InFlightConnOptions {
  std::int64_t amount = 0;
};

// Closes a connection when as many of the same client address are open already, on all workers together. Each
// router that names the middleware is counted by itself, as in Traefik.
class InFlightConn final : public Middleware {
 public:
  using Options = InFlightConnOptions;
  static Configured<std::shared_ptr<const InFlightConn>> make(const Options& options, Making& making);
  InFlightConn(std::int64_t amount, std::shared_ptr<middleware::InFlightCounts> counts)
      : amount_(amount), counts_(std::move(counts)) {}

  Result<> admit(std::string_view router, const net::Address& client, Holds& holds) const override;

 private:
  const std::int64_t amount_;
  const std::shared_ptr<middleware::InFlightCounts> counts_;
};

}  // namespace fairlead::tcp

template <>
inline constexpr auto fairlead::schema::options<fairlead::tcp::InFlightConnOptions> =
    table(option<&tcp::InFlightConnOptions::amount>(
        "amount", "Connections of one client address at once; 0 lets none pass.", {.tier = Tier::T3}));
static_assert(fairlead::schema::complete<fairlead::tcp::InFlightConnOptions>());
