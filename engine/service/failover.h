#pragma once

#include "engine/exchange/spool.h"
#include "engine/service/status.h"

#include <cstdint>
#include <functional>
#include <optional>

namespace fairlead::service {

// What makes a response of the main service a failure (errors.status).
struct FailoverErrors {
  std::function<bool(int status)> counts;
  // The body is kept for the replay; a larger one is refused with 413.
  std::uint64_t max_body_bytes = exchange::SpoolLimits::kTotal;
};

// A main service and one that takes over: while the main one is down, when no server of it could take the
// request, and, where `errors` says so, after a response of certain codes.
class Failover final : public exchange::Service, public Status {
 public:
  Failover(Child main, Child fallback, std::optional<FailoverErrors> errors)
      : main_(std::move(main)), fallback_(std::move(fallback)), errors_(std::move(errors)) {}

  Task<exchange::Response> serve(exchange::Exchange& x) const override;
  bool up(const upstream::Pools& pools) const override { return main_.up(pools) || fallback_.up(pools); }

 private:
  Task<exchange::Response> try_both(exchange::Exchange& x) const;

  Child main_;
  Child fallback_;
  std::optional<FailoverErrors> errors_;
};

}  // namespace fairlead::service
