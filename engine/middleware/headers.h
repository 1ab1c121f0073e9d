#pragma once

#include "engine/exchange/middleware.h"
#include "engine/middleware/cors.h"
#include "engine/middleware/header_edits.h"
#include "engine/middleware/headers_options.h"
#include "engine/middleware/registry.h"
#include "engine/middleware/security_headers.h"

#include <optional>

namespace fairlead::middleware {

// Custom headers, CORS and security headers.
//
// Request: a CORS preflight is answered at once; then custom request headers, then the host is checked.
// Response: security headers, then custom response headers, then CORS, each over what was there before. A 101
// gets none: its head belongs to the protocol that follows.
class Headers final : public exchange::HeadMiddleware {
 public:
  using Options = HeadersOptions;
  static Configured<std::shared_ptr<const Headers>> make(const Options& options, Making& making);
  Headers(HeaderEdits on_requests, HeaderEdits on_responses, std::optional<Cors> cors,
          std::optional<SecurityHeaders> security)
      : on_requests_(std::move(on_requests)),
        on_responses_(std::move(on_responses)),
        cors_(std::move(cors)),
        security_(std::move(security)) {}

  std::optional<exchange::Response> on_request(exchange::Exchange& x) const override;
  void on_response(exchange::Exchange& x, exchange::Response& response) const override;

 private:
  const HeaderEdits on_requests_;
  const HeaderEdits on_responses_;
  const std::optional<Cors> cors_;
  const std::optional<SecurityHeaders> security_;
};

}  // namespace fairlead::middleware
