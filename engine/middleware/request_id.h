#pragma once

#include "engine/exchange/middleware.h"
#include "engine/middleware/registry.h"
#include "engine/schema/option.h"

#include <string>

namespace fairlead::middleware {

struct RequestIdOptions {
  std::string header = "X-Request-Id";
  bool trust = false;
  bool response = true;
};

// Gives each request an identifier that server, client and our own answers see.
class RequestId final : public exchange::HeadMiddleware {
 public:
  using Options = RequestIdOptions;
  static Configured<std::shared_ptr<const RequestId>> make(Options options, Making& making);
  explicit RequestId(Options options) : options_(std::move(options)) {}

  std::optional<exchange::Response> on_request(exchange::Exchange& x) const override;
  void on_response(exchange::Exchange& x, exchange::Response& response) const override;

 private:
  const Options options_;
};

}  // namespace fairlead::middleware

template <>
inline constexpr auto fairlead::schema::options<fairlead::middleware::RequestIdOptions> =
    table(option<&middleware::RequestIdOptions::header>("header", "Header with the identifier.",
                                                        {.check = not_empty}),
          option<&middleware::RequestIdOptions::trust>(
              "trust", "Keep an identifier that the client sent, when it is at most 128 harmless bytes."),
          option<&middleware::RequestIdOptions::response>("response", "Tell the client the identifier.",
                                                          {.always = true}));
static_assert(fairlead::schema::complete<fairlead::middleware::RequestIdOptions>());
