#pragma once

#include "engine/base/result.h"
#include "engine/exchange/exchange.h"
#include "engine/http/fields.h"
#include "engine/middleware/headers_options.h"

#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace fairlead::middleware {

// The security part of the headers middleware, value by value as Traefik sends them.
class SecurityHeaders {
 public:
  static Configured<SecurityHeaders> make(HeadersOptions options);
  // Whether any of its options is set, those without effect included.
  static bool is_wanted(const HeadersOptions& options);

  // False: the host asked for is none of allowedHosts.
  bool host_is_allowed(const exchange::Exchange& x) const;
  void apply(exchange::Exchange& x, http::Fields& response) const;

 private:
  struct Value {
    std::string_view name;           // a literal
    std::vector<std::string> parts;  // a nonce goes between two of them
  };

  bool came_by_tls(const exchange::Exchange& x) const;
  void add(std::string_view name, std::string_view value);

  std::vector<std::string> allowed_hosts_;
  std::vector<std::string> host_headers_;
  std::map<std::string, std::string> tls_marks_;
  std::vector<Value> always_;
  std::string strict_transport_;
  bool strict_transport_always_ = false;
  std::string public_key_;
};

}  // namespace fairlead::middleware
