#pragma once

#include "engine/exchange/middleware.h"
#include "engine/schema/option.h"

#include <string>
#include <string_view>
#include <vector>

namespace fairlead::middleware {

struct GrpcWebOptions {
  std::vector<std::string> allow_origins;
};

// Lets browsers talk to gRPC services: gRPC-Web requests, binary or text, become gRPC ones, and the answer's
// trailers travel at the end of its body. Other requests pass untouched.
class GrpcWeb final : public exchange::Middleware {
 public:
  using Options = GrpcWebOptions;
  explicit GrpcWeb(Options options) : options_(std::move(options)) {}

  Task<exchange::Response> handle(exchange::Exchange& x, exchange::Next next) const override;

 private:
  Task<exchange::Response> translate(exchange::Exchange& x, exchange::Next next) const;
  bool allows(std::string_view origin) const;
  exchange::Response preflight(exchange::Exchange& x) const;
  void add_cors(exchange::Exchange& x, http::Fields& fields) const;

  Options options_;
};

}  // namespace fairlead::middleware

template <>
inline constexpr auto fairlead::schema::options<fairlead::middleware::GrpcWebOptions> =
    table(option<&middleware::GrpcWebOptions::allow_origins>(
        "allowOrigins", "Origins that browsers may call from; `*`: any.", {.tier = Tier::T3}));
static_assert(fairlead::schema::complete<fairlead::middleware::GrpcWebOptions>());
