#pragma once

#include "engine/base/result.h"
#include "engine/exchange/exchange.h"
#include "engine/exchange/response.h"
#include "engine/middleware/headers_options.h"

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace fairlead::routing {
class Regex;
}

namespace fairlead::middleware {

// The CORS part of the headers middleware (fetch.spec.whatwg.org, "HTTP extensions").
class Cors {
 public:
  static Configured<Cors> make(const HeadersOptions& options);
  // Whether any of its options is set.
  static bool is_wanted(const HeadersOptions& options);

  // The answer to a preflight: OPTIONS with Origin and Access-Control-Request-Method.
  std::optional<exchange::Response> preflight(exchange::Exchange& x) const;
  void apply(exchange::Exchange& x, http::Fields& response) const;

 private:
  // What Access-Control-Allow-Origin says to this origin; empty: nothing.
  std::string_view allowed_origin(std::string_view origin) const;

  bool credentials_ = false;
  bool any_method_ = false;  // "*" is in the list, and credentials make it mean nothing to browsers
  bool any_header_ = false;
  bool add_vary_ = false;
  std::string methods_;
  std::string headers_;
  std::string exposed_;
  std::optional<std::string> max_age_;
  std::vector<std::string> origins_;
  std::vector<std::shared_ptr<const routing::Regex>> origin_patterns_;
};

}  // namespace fairlead::middleware
