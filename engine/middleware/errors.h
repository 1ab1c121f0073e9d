#pragma once

#include "engine/exchange/middleware.h"
#include "engine/exchange/service.h"
#include "engine/middleware/registry.h"
#include "engine/middleware/status_ranges.h"
#include "engine/schema/option.h"

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace fairlead::middleware {

struct ErrorsOptions {
  std::vector<std::string> status;
  std::map<std::string, int> status_rewrites;
  std::string service;
  std::string query;
  std::optional<std::vector<std::string>> error_request_headers;
};

// Puts pages of another service in the place of responses with certain codes; the code stays, or becomes the
// one of statusRewrites. Credentials of the request go to that service only when they are named.
class Errors final : public exchange::Middleware {
 public:
  using Options = ErrorsOptions;
  static Configured<std::shared_ptr<const Errors>> make(Options options, Making& making);

  Task<exchange::Response> handle(exchange::Exchange& x, exchange::Next next) const override;

 private:
  int final_status(int status) const;
  void become_page_request(exchange::Exchange& x, int original, int status) const;

  Options options_;
  StatusRanges statuses_;
  std::vector<std::pair<model::StatusRange, int>> rewrites_;
  std::shared_ptr<const exchange::Service> pages_;
};

}  // namespace fairlead::middleware

template <>
inline constexpr auto fairlead::schema::options<fairlead::middleware::ErrorsOptions> = table(
    option<&middleware::ErrorsOptions::status>("status", "Response codes and ranges that are replaced.",
                                               {.tier = Tier::T2}),
    option<&middleware::ErrorsOptions::status_rewrites>(
        "statusRewrites", "The code that the client gets instead, by code or range.", {.tier = Tier::T3}),
    option<&middleware::ErrorsOptions::service>("service", "Service that renders the pages.",
                                                {.tier = Tier::T2}),
    option<&middleware::ErrorsOptions::query>(
        "query", "Path asked for; {status}, {originalStatus} and {url} are filled in.", {.tier = Tier::T2}),
    option<&middleware::ErrorsOptions::error_request_headers>(
        "errorRequestHeaders",
        "Request headers that the service gets; unset: all but Authorization, Cookie and "
        "Proxy-Authorization.",
        {.tier = Tier::T3}));
static_assert(fairlead::schema::complete<fairlead::middleware::ErrorsOptions>());
